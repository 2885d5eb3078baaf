import { lazy } from 'react'
import { Route, Routes } from 'react-router'

const Automation = lazy(() => import('../pages/automation'))
const Businesses = lazy(() => import('../pages/businesses'))
const Dashboards = lazy(() => import('../pages/dashboards'))
const NotFound = lazy(() => import('../pages/not-found'))
const Settings = lazy(() => import('../pages/settings'))

/** Every page behind the sign-in but the first. Apart from App, because the name of each file that is loaded later weighs on what names it. */
export default function Pages() {
  return (
    <Routes>
      <Route path="automation" element={<Automation />} />
      <Route path="dashboards/*" element={<Dashboards />} />
      <Route path="settings/*" element={<Settings />} />
      <Route path="businesses" element={<Businesses />} />
      <Route path="*" element={<NotFound />} />
    </Routes>
  )
}
