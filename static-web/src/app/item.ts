/** One line of a menu or of the navigation: a target of 44 px and more. */
export const item = 'tap flex w-full items-center gap-3 rounded px-3 text-left hover:bg-sunken'
