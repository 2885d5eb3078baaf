// ISO 4217's minor units where they are not 2: the decimals that amounts have. Browsers differ in them (CLDR has 0 for the Iraqi dinar, the
// standard 3), and a sentence of the API stands beside the tile. The API has the same in Tenancy/Currencies.cs; a test compares them.
const unusual: Record<number, string> = {
  0: 'BIF BYR CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF',
  3: 'BHD IQD JOD KWD LYD OMR TND',
}

const decimals = new Map(
  Object.entries(unusual).flatMap(([digits, codes]) =>
    codes.split(' ').map((code) => [code, Number(digits)] as const),
  ),
)

/** How many decimals an amount in a currency has. */
export const decimalsOf = (currency: string): number => decimals.get(currency) ?? 2

/** Whether `Intl` takes it for a code; it throws at anything else, and what a provider called a currency may be any text. */
const isCode = (currency: string) => /^[A-Za-z]{3}$/.test(currency)

/** How an amount is written; a plain number with as many decimals where the currency is none. */
export function moneyOptions(currency: string): Intl.NumberFormatOptions {
  const digits = decimalsOf(currency)
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits }
  return isCode(currency)
    ? { ...options, style: 'currency', currency, currencyDisplay: 'narrowSymbol' }
    : options
}
