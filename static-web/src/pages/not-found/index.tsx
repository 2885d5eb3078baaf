import { useEffect } from 'react'
import { Link } from 'react-router'
import { quietButton } from '../../components/Notice'
import { messages } from '../../messages'
import { later } from '../../messages-later'

export default function NotFound() {
  useEffect(() => {
    document.title = `${later.notFound.title} · ${messages.productShort}`
  }, [])
  return (
    <div className="mx-auto max-w-[78rem] px-4 pt-16 pb-16 sm:px-8">
      <h1 className="text-big font-semibold">{later.notFound.title}</h1>
      <p className="mt-1 text-muted">{later.notFound.text}</p>
      <Link to="/" className={`${quietButton} mt-6`}>
        {later.notFound.back}
      </Link>
    </div>
  )
}
