export { default as LatestOperations } from './LatestOperations.vue'
