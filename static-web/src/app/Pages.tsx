import { lazy } from 'react'
import { Route, Routes } from 'react-router'

const Analytics = lazy(() => import('../pages/analytics'))
const Automation = lazy(() => import('../pages/automation'))
const Businesses = lazy(() => import('../pages/businesses'))
const Calculated = lazy(() => import('../pages/calculated'))
const Dashboards = lazy(() => import('../pages/dashboards'))
const Goals = lazy(() => import('../pages/goals'))
const Help = lazy(() => import('../pages/help'))
const Insights = lazy(() => import('../pages/insights'))
const Integrations = lazy(() => import('../pages/integrations'))
const Metric = lazy(() => import('../pages/metric'))
const NotFound = lazy(() => import('../pages/not-found'))
const Settings = lazy(() => import('../pages/settings'))
const Welcome = lazy(() => import('../pages/welcome'))

/** Every page behind the sign-in but the first. Apart from App, because the name of each file that is loaded later weighs on what names it. */
export default function Pages() {
  return (
    <Routes>
      <Route path="analytics" element={<Analytics />} />
      <Route path="automation" element={<Automation />} />
      <Route path="dashboards/*" element={<Dashboards />} />
      <Route path="metrics/:key" element={<Metric />} />
      <Route path="insights" element={<Insights />} />
      <Route path="goals" element={<Goals />} />
      <Route path="kpis/calculated/*" element={<Calculated />} />
      <Route path="help" element={<Help />} />
      <Route path="integrations/*" element={<Integrations />} />
      <Route path="settings/*" element={<Settings />} />
      <Route path="businesses" element={<Businesses />} />
      <Route path="welcome" element={<Welcome />} />
      <Route path="*" element={<NotFound />} />
    </Routes>
  )
}
