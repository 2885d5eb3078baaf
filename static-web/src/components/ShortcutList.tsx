import { later } from '../messages-later'

/** The keys that work on every page. */
export function ShortcutList() {
  return (
    <dl>
      {later.shortcuts.list.map(({ keys, does }) => (
        <div
          key={does}
          className="flex items-center justify-between border-t border-line py-2.5 first:border-t-0"
        >
          <dt className="order-2 flex gap-1">
            {keys.map((key, i) => (
              <kbd
                key={`${key}${i}`}
                className="min-w-7 rounded border border-line bg-sunken px-1.5 text-center font-sans text-small"
              >
                {key}
              </kbd>
            ))}
          </dt>
          <dd>{does}</dd>
        </div>
      ))}
    </dl>
  )
}
