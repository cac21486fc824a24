import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'vue/compiler-sfc'

interface MarkupNode {
  type: number
  content?: unknown
  tag?: string
  props?: { type: number; name: string; value?: { content: string } }[]
  children?: MarkupNode[]
}
const TEXT = 2
const ATTRIBUTE = 6
const SPOKEN = ['alt', 'title', 'placeholder', 'aria-label', 'label']
/** What reads the same in every language. */
const NAMES = /^(?:Kantor|AA|s|API|1|=|@|·|→|≈|—|\W)*$/u

const files = globSync('**/*.vue', { cwd: import.meta.dirname })

function all(node: MarkupNode): MarkupNode[] {
  return [node, ...(node.children ?? []).flatMap(all)]
}

function nodesOf(file: string): MarkupNode[] {
  const { descriptor } = parse(readFileSync(join(import.meta.dirname, file), 'utf8'))
  const root = descriptor.template?.ast as unknown as MarkupNode | undefined
  return root === undefined ? [] : all(root)
}

describe.each(files)('%s', (file) => {
  const nodes = nodesOf(file)

  test('says nothing that is not translated', () => {
    const texts = nodes.flatMap((node) => [
      ...(node.type === TEXT && typeof node.content === 'string' ? [node.content.trim()] : []),
      ...(node.props ?? [])
        .filter((prop) => prop.type === ATTRIBUTE && SPOKEN.includes(prop.name))
        .map((prop) => prop.value?.content ?? ''),
    ])
    expect(texts.filter((text) => !NAMES.test(text))).toEqual([])
  })

  test('writes no markup from data and no style that the content security policy refuses', () => {
    const refused = nodes.flatMap((node) =>
      (node.props ?? []).filter(
        (prop) => (prop.type === ATTRIBUTE && prop.name === 'style') || prop.name === 'html',
      ),
    )
    expect(refused).toEqual([])
  })
})
