import { computed, ref, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { listOperations } from '#api'
import { usePages } from '#ui'
import {
  EMPTY_FILTER,
  filterCount,
  filterOf,
  queryOf,
  requestOf,
  type FilterForm,
} from './operations-filter.ts'

const PAGE = 30
const TYPING_PAUSE_MS = 300

/** The history that the address describes: reload, back and a shared link show the same. */
export function useHistory() {
  const route = useRoute()
  const router = useRouter()
  const form = ref<FilterForm>(filterOf(route.query))
  const applied = computed(() => filterOf(route.query))
  const request = computed(() => requestOf(applied.value))
  const opened = computed({
    get: () => (typeof route.query['operation'] === 'string' ? route.query['operation'] : null),
    set: (id) =>
      void router.replace({ query: { ...queryOf(applied.value), ...(id !== null && { operation: id }) } }),
  })

  const { list, items: operations } = usePages(
    () => ['operations', 'list', JSON.stringify(request.value)],
    (from) => listOperations({ ...request.value, limit: PAGE, ...from }),
  )

  let pause: ReturnType<typeof setTimeout> | undefined
  watch(
    form,
    (next) => {
      clearTimeout(pause)
      pause = setTimeout(() => {
        if (JSON.stringify(queryOf(next)) === JSON.stringify(queryOf(applied.value))) return
        void router.replace({ query: queryOf(next) })
      }, TYPING_PAUSE_MS)
    },
    { deep: true },
  )
  watch(applied, (next) => {
    if (route.name === 'history' && JSON.stringify(queryOf(next)) !== JSON.stringify(queryOf(form.value)))
      form.value = next
  })

  const count = computed(() => filterCount(form.value))
  const filtered = computed(() => Object.keys(queryOf(applied.value)).length > 0)
  const clear = () => (form.value = { ...EMPTY_FILTER })

  return { form, opened, list, operations, count, filtered, clear }
}
