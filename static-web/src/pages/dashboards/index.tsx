import { Route, Routes } from 'react-router'
import { List } from './List'
import { View } from './View'

/** All dashboards, and one of them. */
export default function Dashboards() {
  return (
    <Routes>
      <Route index element={<List />} />
      <Route path=":id" element={<View />} />
    </Routes>
  )
}
