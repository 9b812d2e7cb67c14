import { createRouter, createWebHashHistory } from 'vue-router';

export const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: '/', name: 'desk', component: () => import('./pages/Dashboard.vue') },
    { path: '/welcome/:token', name: 'welcome', component: () => import('./pages/Welcome.vue'), meta: { open: true } },
    { path: '/k/:kind/:id?', name: 'kind', component: () => import('./pages/KindPage.vue') },
    { path: '/coverage', name: 'coverage', component: () => import('./pages/Coverage.vue') },
    { path: '/bulletin', name: 'bulletin', component: () => import('./pages/Bulletin.vue') },
    { path: '/search', name: 'search', component: () => import('./pages/Search.vue') },
    { path: '/:rest(.*)*', name: 'nowhere', component: () => import('./pages/Nowhere.vue') },
  ],
});
