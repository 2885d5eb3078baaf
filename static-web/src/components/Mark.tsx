/** The product's mark: the same drawing as public/icon.svg, without its tile. */
export function Mark({ className = '' }: { className?: string }) {
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 32 32"
      className={`fill-none ${className}`}
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d="M3 23l8.5-8 6 5L25 10" className="stroke-accent" strokeWidth="3.5" />
      <circle cx="28" cy="6" r="3" className="fill-good" />
    </svg>
  )
}
