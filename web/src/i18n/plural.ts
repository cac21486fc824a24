const polish = new Intl.PluralRules('pl')

/** Polish has three forms where English has two: `1 sesja | 2 sesje | 5 sesji`. */
export function polishForm(count: number): number {
  const category = polish.select(count)
  if (category === 'one') return 0
  return category === 'few' ? 1 : 2
}
