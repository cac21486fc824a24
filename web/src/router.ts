import { nextTick } from 'vue'
import { createRouter, createWebHistory, type RouteRecordRaw } from 'vue-router'
import { isServerReachable } from '#api'
import { t, type MessageKey } from '#i18n'
import { whoIsIn } from '#identity'
import UnavailablePage from './UnavailablePage.vue'

declare module 'vue-router' {
  interface RouteMeta {
    /** Needs somebody signed in, and is drawn between the bars. */
    inside?: boolean
    /** Is there for admins only; for everybody else there is no such page. */
    admin?: boolean
    /** The place in the bar that it belongs to, when it is none itself. */
    place?: string
    title?: MessageKey
  }
}

const routes: RouteRecordRaw[] = [
  {
    path: '/',
    name: 'home',
    component: () => import('./wallets/HomePage.vue'),
    meta: { inside: true, title: 'home.title' },
  },
  {
    path: '/convert',
    name: 'convert',
    component: () => import('./exchange/ExchangePage.vue'),
    meta: { inside: true, title: 'convert.title' },
  },
  {
    path: '/stocks',
    name: 'stocks',
    component: () => import('./trading/StocksPage.vue'),
    meta: { inside: true, title: 'stocks.title' },
  },
  {
    path: '/stocks/positions',
    name: 'positions',
    component: () => import('./trading/PositionsPage.vue'),
    meta: { inside: true, place: 'stocks', title: 'positions.title' },
  },
  {
    path: '/stocks/orders',
    name: 'orders',
    component: () => import('./trading/OrdersPage.vue'),
    meta: { inside: true, place: 'stocks', title: 'orders.title' },
  },
  {
    path: '/stocks/:ref',
    name: 'instrument',
    component: () => import('./trading/InstrumentPage.vue'),
    meta: { inside: true, place: 'stocks', title: 'stocks.title' },
  },
  {
    path: '/send',
    name: 'send',
    component: () => import('./transfers/SendPage.vue'),
    meta: { inside: true, title: 'send.title' },
  },
  {
    path: '/history',
    name: 'history',
    component: () => import('./history/HistoryPage.vue'),
    meta: { inside: true, title: 'history.title' },
  },
  {
    path: '/planned',
    name: 'planned',
    component: () => import('./rules/RulesPage.vue'),
    meta: { inside: true, title: 'rules.title' },
  },
  {
    path: '/settings',
    name: 'settings',
    component: () => import('./identity/SettingsPage.vue'),
    meta: { inside: true, title: 'settings.title' },
  },
  {
    path: '/settings/webhooks',
    name: 'webhooks',
    component: () => import('./notifications/WebhooksPage.vue'),
    meta: { inside: true, title: 'webhooks.title' },
  },
  {
    path: '/notices',
    name: 'notices',
    component: () => import('./notifications/NoticesPage.vue'),
    meta: { inside: true, title: 'notices.title' },
  },
  {
    path: '/admin',
    name: 'admin',
    component: () => import('./admin/AdminPage.vue'),
    meta: { inside: true, admin: true, title: 'admin.title' },
  },
  {
    path: '/sign-in',
    name: 'sign-in',
    component: () => import('./identity/SignInPage.vue'),
    meta: { title: 'signIn.title' },
  },
  {
    path: '/sign-up',
    name: 'sign-up',
    component: () => import('./identity/SignUpPage.vue'),
    meta: { title: 'signUp.title' },
  },
  {
    path: '/unavailable',
    name: 'unavailable',
    // Not loaded when it is needed, since it is needed when nothing can be.
    component: UnavailablePage,
    meta: { title: 'unavailable.title' },
  },
  {
    path: '/:rest(.*)*',
    name: 'missing',
    component: () => import('./MissingPage.vue'),
    meta: { title: 'missing.title' },
  },
]

export const router = createRouter({
  history: createWebHistory(),
  routes,
  scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? false : { top: 0 }),
})

router.beforeEach(async (to) => {
  if (to.name === 'unavailable' || to.name === 'missing') return true
  const me = await whoIsIn().catch(() => 'unreachable' as const)
  if (me === 'unreachable') return { name: 'unavailable', query: { next: to.fullPath }, replace: true }
  if (to.meta.inside && me === null) {
    return { name: 'sign-in', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
  }
  if (to.meta.admin && me?.role !== 'admin') {
    return { name: 'missing', params: { rest: to.path.slice(1).split('/') }, replace: true }
  }
  return !to.meta.inside && me !== null ? { name: 'home' } : true
})

/** A new page begins at its heading: for the eye it is on top, for a screen reader it is what gets spoken. */
router.afterEach(async (to, from) => {
  document.title = to.meta.title === undefined ? 'Kantor' : `${t(to.meta.title)} · Kantor`
  if (from.matched.length === 0 || to.path === from.path) return
  await nextTick()
  requestAnimationFrame(() => document.querySelector('h1')?.focus({ preventScroll: true }))
})

// A page of an older release is gone after a new one was installed: load the new one instead of a dead link.
// Without a network, that would end at the browser's own page.
router.onError(async (error: unknown, to) => {
  if (!(error instanceof TypeError) || !/import|module/iu.test(error.message)) return
  if (await isServerReachable()) location.assign(to.fullPath)
  else await router.replace({ name: 'unavailable', query: { next: to.fullPath } })
})
