import { encode } from 'uqr'
import { settings } from '../../messages-settings'

/** A QR code as one path: dark on light in every theme, as cameras want it. */
export default function QrCode({ value }: { value: string }) {
  const { data, size } = encode(value, { border: 3 })
  const path = data
    .flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : '')))
    .join('')
  return (
    <svg
      role="img"
      aria-label={settings.profile.qr}
      viewBox={`0 0 ${size} ${size}`}
      shapeRendering="crispEdges"
      className="size-48 rounded"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#0f172a" />
    </svg>
  )
}
