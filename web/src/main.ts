import { PiniaColada } from '@pinia/colada'
import { createPinia } from 'pinia'
import { createApp } from 'vue'
import { i18n, setLocale } from '#i18n'
import App from './App.vue'
import { router } from './router.ts'
import './styles/main.css'

setLocale(i18n.global.locale.value)
createApp(App).use(createPinia()).use(PiniaColada).use(i18n).use(router).mount('#app')
