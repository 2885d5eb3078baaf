import { lazy } from 'react'
import { Navigate, Route, Routes } from 'react-router'
import ForgotPassword from '../pages/forgot-password'
import Invitation from '../pages/invitation'
import Register from '../pages/register'
import ResetPassword from '../pages/reset-password'
import SecondFactor from '../pages/second-factor'
import SignIn from '../pages/sign-in'
import VerifyEmail from '../pages/verify-email'

const Shared = lazy(() => import('../pages/shared'))
const Tv = lazy(() => import('../pages/tv'))
// For operators, who have no account here: a function key opens it.
const Ops = lazy(() => import('../pages/ops'))

/** The pages that need no session, loaded together: who needs one of them often needs the next. */
export default function PublicPages() {
  return (
    <Routes>
      <Route path="sign-in" element={<SignIn />} />
      <Route path="sign-in/code" element={<SecondFactor />} />
      <Route path="register" element={<Register />} />
      <Route path="verify-email" element={<VerifyEmail />} />
      <Route path="forgot-password" element={<ForgotPassword />} />
      <Route path="reset-password" element={<ResetPassword />} />
      <Route path="invitation" element={<Invitation />} />
      <Route path="shared" element={<Shared />} />
      <Route path="tv" element={<Tv />} />
      <Route path="ops" element={<Ops />} />
      <Route path="*" element={<Navigate to="/sign-in" replace />} />
    </Routes>
  )
}
