export { default as AlertButton } from './AlertButton.vue'
export { default as PlanConversion } from './PlanConversion.vue'
export { default as PlanTransfer } from './PlanTransfer.vue'
