/** `4.300000000` as `4.3`: fields of rates keep nine digits, of which nobody means the zeros. */
export const plainDecimal = (text: string): string =>
  text.includes('.') ? text.replace(/0+$/u, '').replace(/\.$/u, '') : text
