import { variables, type Variable } from '#config'

/** docs/configuration.md, from the table that the program itself reads its environment with. */
export function configDoc(): string {
  const rows = Object.entries<Variable<unknown>>(variables).map(([name, { meaning, fallback, secret }]) => {
    const names = secret === true ? `\`${name}\`, \`${name}_FILE\`` : `\`${name}\``
    return `| ${names} | ${meaning} | ${fallback} |`
  })
  return `${[
    '# Configuration',
    '',
    'Kantor reads its environment once, at the start, and names every fault at once instead of starting with one.',
    'All variables are optional. An empty value counts as not set, save where empty means something.',
    'A secret may be given in a file, whose name goes into `NAME_FILE`.',
    '',
    'This page is generated from `server/src/config-variables.ts` by `npm run config-doc`.',
    '',
    '| variable | what it does | when not set |',
    '| --- | --- | --- |',
    ...rows,
  ].join('\n')}\n`
}
