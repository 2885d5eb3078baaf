import { Check, MoreHorizontal } from 'lucide-react'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { useDraft } from '../../components/form/useDraft'
import { api, ApiError } from '../../api/client'
import type { Invitation, Member, Members as MemberList } from '../../api/types'
import { Menu, useCloseMenu } from '../../components/Menu'
import { primaryButton } from '../../components/buttons'
import { quietButton } from '../../components/Notice'
import { leaveTenant } from '../../lib/apart'
import { useMay } from '../../lib/may'
import { useIdentity } from '../../lib/session'
import { messages } from '../../messages'
import { settings } from '../../messages-settings'
import { useConfirmation } from '../../components/confirmations'
import { renewIdentity, useMembers, useReload, useRoles } from './queries'
import {
  Failed,
  Labelled,
  LoadFailed,
  outlineDanger,
  Page,
  Rows,
  Section,
  Select,
  sentenceOf,
  small,
  State,
  useQuestion,
  type Question,
} from '../../components/ui'
import { ago, date } from './words'

const text = settings.members
const roles = ['admin', 'member', 'viewer'] as const
const roleWords = (role: string) => (messages.tenant.role as Record<string, string>)[role] ?? role
const nameOf = (member: Member) => member.displayName || member.email

export default function Members() {
  const { tenant } = useIdentity()
  const may = useMay('manage_members')
  const owner = useMay('manage_tenant')
  const query = useMembers(may)
  const { ask, dialog } = useQuestion()
  return (
    <Page
      title={text.title}
      lead={!may ? text.closed : tenant.deleteAfter ? text.deleting : text.lead}
    >
      {may && !tenant.deleteAfter && <Invite />}
      {may &&
        (query.data ? (
          <>
            <People list={query.data} ask={ask} />
            <Invitations list={query.data.invitations} ask={ask} />
          </>
        ) : query.isError ? (
          <LoadFailed error={query.error} retry={query.refetch} />
        ) : (
          <Section title={text.list}>
            <Rows />
          </Section>
        ))}
      <RoleTable />
      {owner && !tenant.deleteAfter && query.data && <Transfer list={query.data} ask={ask} />}
      <Leave ask={ask} />
      {dialog}
    </Page>
  )
}

type Ask = (question: Question) => void

function Invite() {
  const confirmed = useConfirmation()
  const reload = useReload()
  const [sent, setSent] = useState<string | null>(null)
  const {
    register,
    handleSubmit,
    reset,
    setError,
    formState: { errors, isSubmitting },
  } = useDraft('invite', { defaultValues: { email: '', role: 'member' } })
  const submit = handleSubmit(async ({ email, role }) => {
    setSent(null)
    try {
      await confirmed(() => api.post('members/invitations', { email: email.trim(), role }))
      reset()
      setSent(email.trim())
      await reload('members')
    } catch (error) {
      const said = error instanceof ApiError ? error.fields : {}
      if (said.email?.[0]) setError('email', { message: said.email[0] })
      if (said.role?.[0]) setError('role', { message: said.role[0] })
      if (!said.email && !said.role) setError('root', { message: sentenceOf(error) })
    }
  })
  return (
    <Section title={text.invite} lead={text.inviteLead}>
      <form
        noValidate
        aria-label={text.invite}
        onSubmit={(event) => void submit(event)}
        className="grid max-w-[44rem] items-start gap-4 sm:grid-cols-[minmax(0,1fr)_9rem_auto]"
      >
        <Labelled label={text.email} error={errors.email?.message}>
          {(props) => (
            <input
              {...props}
              type="email"
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              {...register('email', {
                required: text.emailMissing,
                pattern: { value: /^\s*\S+@\S+\s*$/, message: text.emailWrong },
              })}
            />
          )}
        </Labelled>
        <Labelled label={text.role} error={errors.role?.message}>
          {(props) => (
            <Select {...props} {...register('role')}>
              {roles.map((role) => (
                <option key={role} value={role}>
                  {roleWords(role)}
                </option>
              ))}
            </Select>
          )}
        </Labelled>
        <button type="submit" disabled={isSubmitting} className={`${primaryButton} sm:mt-6`}>
          {isSubmitting ? text.sending : text.send}
        </button>
      </form>
      <Failed error={errors.root?.message} />
      <p role="status" className="mt-2 text-small text-good">
        {sent ? text.sent(sent) : ''}
      </p>
    </Section>
  )
}

function People({ list, ask }: { list: MemberList; ask: Ask }) {
  const { tenant } = useIdentity()
  const now = new Date()
  const rows = list.members
  return (
    <Section title={text.list}>
      <table className="w-full max-md:hidden">
        <thead className="text-left text-small text-muted">
          <tr>
            <th scope="col" className="pb-2 font-normal">
              {text.columns.person}
            </th>
            <th scope="col" className="w-36 pb-2 pl-4 font-normal">
              {text.columns.role}
            </th>
            <th scope="col" className="pb-2 pl-4 font-normal">
              {text.columns.second}
            </th>
            <th scope="col" className="pb-2 pl-4 font-normal">
              {text.columns.seen}
            </th>
            <th scope="col" className="w-11 pb-2 font-normal">
              <span className="sr-only">{text.columns.actions}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((member) => (
            <tr key={member.id} className="border-t border-line">
              <th scope="row" className="max-w-64 py-2 text-left font-normal">
                <Who member={member} />
              </th>
              <td className="py-2 pl-4">
                <RoleSelect member={member} />
              </td>
              <td className="py-2 pl-4">
                <Second member={member} />
              </td>
              <td className="num py-2 pl-4 whitespace-nowrap">
                {member.lastSeenAt ? ago(member.lastSeenAt, tenant.timeZone, now) : text.neverSeen}
              </td>
              <td className="py-2">
                <Actions member={member} ask={ask} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <ul className="md:hidden">
        {rows.map((member) => (
          <li key={member.id} className="border-t border-line py-3 first:border-t-0">
            <div className="flex items-start gap-2">
              <div className="min-w-0 flex-1">
                <Who member={member} />
              </div>
              <Actions member={member} ask={ask} />
            </div>
            <dl className="mt-2 grid grid-cols-2 gap-x-4 gap-y-2 text-small">
              <div className="col-span-2">
                <dt className="sr-only">{text.columns.role}</dt>
                <dd className="text-body">
                  <RoleSelect member={member} />
                </dd>
              </div>
              <div>
                <dt className="text-muted">{text.columns.second}</dt>
                <dd>
                  <Second member={member} />
                </dd>
              </div>
              <div>
                <dt className="text-muted">{text.columns.seen}</dt>
                <dd className="num">
                  {member.lastSeenAt
                    ? ago(member.lastSeenAt, tenant.timeZone, now)
                    : text.neverSeen}
                </dd>
              </div>
            </dl>
          </li>
        ))}
      </ul>
      {rows.length === 1 && <p className="py-3 text-small text-muted">{text.onlyYou}</p>}
    </Section>
  )
}

function Who({ member }: { member: Member }) {
  const { user } = useIdentity()
  return (
    <>
      <span className={`block truncate font-semibold ${member.active ? '' : 'text-muted'}`}>
        {nameOf(member)}
        {member.id === user.id && (
          <span className="font-normal text-muted"> ({settings.common.you})</span>
        )}
      </span>
      <span className="block truncate text-small text-muted">{member.email}</span>
      {!member.active && (
        <span className="text-small">
          <State tone="attention">{text.inactive}</State>
        </span>
      )}
      {!member.emailVerified && (
        <span className="text-small">
          <State tone="attention">{text.unproved}</State>
        </span>
      )}
    </>
  )
}

function Second({ member }: { member: Member }) {
  return (
    <State tone={member.secondFactor ? 'good' : 'plain'}>
      {member.secondFactor ? text.secondOn : text.secondOff}
    </State>
  )
}

function RoleSelect({ member }: { member: Member }) {
  const confirmed = useConfirmation()
  const { user, tenant } = useIdentity()
  const reload = useReload()
  const [wanted, setWanted] = useState<string | null>(null)
  const [failed, setFailed] = useState<unknown>(null)
  if (member.role === 'owner' || member.id === user.id || tenant.deleteAfter)
    return <span>{roleWords(member.role)}</span>
  const change = async (role: string) => {
    setWanted(role)
    setFailed(null)
    try {
      await confirmed(() => api.patch(`members/${member.id}`, { role }))
      await reload('members')
    } catch (error) {
      setFailed(error)
    } finally {
      setWanted(null)
    }
  }
  return (
    <>
      <Select
        aria-label={text.roleOf(nameOf(member))}
        value={wanted ?? member.role}
        disabled={wanted !== null}
        onChange={(event) => void change(event.target.value)}
        className="h-11 w-full min-w-28 rounded border border-line bg-surface px-3 hover:border-line-strong disabled:text-muted"
      >
        {roles.map((role) => (
          <option key={role} value={role}>
            {roleWords(role)}
          </option>
        ))}
      </Select>
      <Failed error={failed} />
    </>
  )
}

function Actions({ member, ask }: { member: Member; ask: Ask }) {
  const { user, tenant } = useIdentity()
  if (member.role === 'owner' || member.id === user.id || tenant.deleteAfter) return null
  return (
    <Menu
      label={text.actionsFor(nameOf(member))}
      align="right"
      buttonClass="tap grid place-items-center rounded text-muted hover:bg-sunken hover:text-ink"
      button={<MoreHorizontal aria-hidden="true" size={18} />}
    >
      <ActionList member={member} ask={ask} />
    </Menu>
  )
}

const line = 'tap flex w-full items-center rounded px-3 text-left hover:bg-sunken'

function ActionList({ member, ask }: { member: Member; ask: Ask }) {
  const confirmed = useConfirmation()
  const { tenant } = useIdentity()
  const close = useCloseMenu()
  const reload = useReload()
  const name = nameOf(member)
  const act = (question: Question) => {
    close()
    ask({
      ...question,
      run: async () => {
        await question.run()
        await reload('members')
      },
    })
  }
  const activate = (active: boolean) => api.patch(`members/${member.id}`, { active })
  return (
    <>
      <button
        type="button"
        className={line}
        onClick={() => {
          if (!member.active) {
            close()
            confirmed(() => activate(true)).then(
              () => reload('members'),
              (error: unknown) => {
                ask({
                  title: text.reactivate,
                  text: sentenceOf(error),
                  action: messages.errors.retry,
                  run: async () => {
                    await activate(true)
                    await reload('members')
                  },
                })
              },
            )
            return
          }
          act({
            title: text.deactivateTitle(name),
            text: text.deactivateText(tenant.name),
            action: text.deactivate,
            danger: true,
            run: () => activate(false),
          })
        }}
      >
        {member.active ? text.deactivate : text.reactivate}
      </button>
      <button
        type="button"
        className={`${line} text-trouble`}
        onClick={() => {
          act({
            title: text.removeTitle(name),
            text: text.removeText(tenant.name),
            action: text.remove,
            danger: true,
            run: () => api.delete(`members/${member.id}`),
          })
        }}
      >
        {text.remove}
      </button>
    </>
  )
}

function Invitations({ list, ask }: { list: readonly Invitation[]; ask: Ask }) {
  const confirmed = useConfirmation()
  const { tenant } = useIdentity()
  const reload = useReload()
  const [busy, setBusy] = useState<string | null>(null)
  const [said, setSaid] = useState<string | null>(null)
  const [failed, setFailed] = useState<unknown>(null)
  const resend = async ({ id, email }: Invitation) => {
    setBusy(id)
    setSaid(null)
    setFailed(null)
    try {
      await confirmed(() => api.post(`members/invitations/${id}/resend`))
      setSaid(text.resentTo(email))
      await reload('members')
    } catch (error) {
      setFailed(error)
    } finally {
      setBusy(null)
    }
  }
  const now = new Date().getTime()
  return (
    <Section title={text.invitations}>
      {list.length === 0 ? (
        <p className="text-small text-muted">{text.noInvitations}</p>
      ) : (
        <ul>
          {list.map((one) => {
            const expired = Date.parse(one.expiresAt) <= now
            const day = date(one.expiresAt, tenant.timeZone)
            return (
              <li
                key={one.id}
                className="flex flex-wrap items-center gap-x-4 gap-y-2 border-t border-line py-3 first:border-t-0"
              >
                <div className="min-w-0 flex-1 basis-64">
                  <p className="truncate font-semibold">{one.email}</p>
                  <p className="num text-small text-muted">
                    {text.invited(roleWords(one.role), one.invitedBy)} ·{' '}
                    <span className={expired ? 'font-semibold text-attention' : ''}>
                      {expired ? text.expired(day) : text.expires(day)}
                    </span>
                  </p>
                </div>
                {!tenant.deleteAfter && (
                  <div className="flex gap-2">
                    <button
                      type="button"
                      aria-label={text.resendFor(one.email)}
                      disabled={busy !== null}
                      className={`${small} border border-line bg-surface hover:border-line-strong`}
                      onClick={() => void resend(one)}
                    >
                      {busy === one.id ? text.sending : text.resend}
                    </button>
                    <button
                      type="button"
                      aria-label={text.revokeFor(one.email)}
                      className={`${small} border border-line bg-surface hover:border-line-strong`}
                      onClick={() => {
                        ask({
                          title: text.revokeTitle,
                          text: text.revokeText(one.email),
                          action: text.revoke,
                          danger: true,
                          run: async () => {
                            await api.delete(`members/invitations/${one.id}`)
                            await reload('members')
                          },
                        })
                      }}
                    >
                      {text.revoke}
                    </button>
                  </div>
                )}
              </li>
            )
          })}
        </ul>
      )}
      <Failed error={failed} />
      <p role="status" className="mt-2 text-small text-good">
        {said ?? ''}
      </p>
    </Section>
  )
}

function RoleTable() {
  const { tenant } = useIdentity()
  const query = useRoles()
  return (
    <Section title={text.rolesTitle}>
      <details>
        <summary className="tap cursor-pointer py-2 text-accent">{text.rolesShow}</summary>
        {query.data ? (
          <>
            {/* A phone has no room for columns; only one of the two is there. */}
            <ul className="text-small sm:hidden">
              {query.data.permissions.map(({ key, description }) => (
                <li key={key} className="border-t border-line py-2.5 first:border-t-0">
                  <p>{description}</p>
                  <p className="text-muted">
                    {query.data.roles
                      .filter(({ permissions }) => permissions.includes(key))
                      .map(({ role }) => roleWords(role))
                      .join(', ')}
                  </p>
                </li>
              ))}
            </ul>
            <table className="w-full text-small max-sm:hidden">
              <thead className="text-muted">
                <tr>
                  <th scope="col" className="pb-2 text-left font-normal">
                    {text.permission}
                  </th>
                  {query.data.roles.map(({ role }) => (
                    <th
                      key={role}
                      scope="col"
                      className={`w-24 pb-2 text-center ${role === tenant.role ? 'font-semibold text-ink' : 'font-normal'}`}
                    >
                      {roleWords(role)}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {query.data.permissions.map(({ key, description }) => (
                  <tr key={key} className="border-t border-line">
                    <th scope="row" className="py-2.5 pr-2 text-left font-normal">
                      {description}
                    </th>
                    {query.data.roles.map(({ role, permissions }) => {
                      const allowed = permissions.includes(key)
                      return (
                        <td key={role} className="py-2.5 text-center">
                          {allowed ? (
                            <Check aria-hidden="true" size={16} className="inline text-good" />
                          ) : (
                            <span aria-hidden="true" className="text-muted">
                              –
                            </span>
                          )}
                          <span className="sr-only">{allowed ? text.allowed : text.denied}</span>
                        </td>
                      )
                    })}
                  </tr>
                ))}
              </tbody>
            </table>
          </>
        ) : query.isError ? (
          <LoadFailed error={query.error} retry={query.refetch} />
        ) : (
          <Rows count={6} />
        )}
      </details>
    </Section>
  )
}

function Transfer({ list, ask }: { list: MemberList; ask: Ask }) {
  const { tenant, user } = useIdentity()
  const reload = useReload()
  const [to, setTo] = useState('')
  const others = list.members.filter((one) => one.active && one.id !== user.id)
  const chosen = others.find((one) => one.id === to)
  return (
    <Section title={text.transfer} lead={text.transferLead}>
      {others.length === 0 ? (
        <p className="text-small text-muted">{text.transferNobody}</p>
      ) : (
        <div className="grid max-w-[32rem] items-end gap-4 sm:grid-cols-[minmax(0,1fr)_auto]">
          <Labelled label={text.transferTo}>
            {(props) => (
              <Select
                {...props}
                value={to}
                onChange={(event) => {
                  setTo(event.target.value)
                }}
              >
                <option value="">{text.transferChoose}</option>
                {others.map((one) => (
                  <option key={one.id} value={one.id}>
                    {nameOf(one)}
                  </option>
                ))}
              </Select>
            )}
          </Labelled>
          <button
            type="button"
            disabled={!chosen}
            className={outlineDanger}
            onClick={() => {
              if (!chosen) return
              ask({
                title: text.transferTitle(nameOf(chosen)),
                text: text.transferText(tenant.name),
                action: text.transferAction,
                danger: true,
                run: async () => {
                  await api.post('tenant/transfer-ownership', { userId: chosen.id })
                  setTo('')
                  await renewIdentity()
                  await reload('members')
                },
              })
            }}
          >
            {text.transferAction}
          </button>
        </div>
      )}
    </Section>
  )
}

function Leave({ ask }: { ask: Ask }) {
  const { tenant } = useIdentity()
  const navigate = useNavigate()
  const owner = tenant.role === 'owner'
  return (
    <Section
      title={text.leave}
      lead={owner ? text.leaveOwner : text.leaveLead}
      action={
        !owner && (
          <button
            type="button"
            className={quietButton}
            onClick={() => {
              ask({
                title: text.leaveTitle(tenant.name),
                text: text.leaveText,
                action: text.leaveAction,
                danger: true,
                run: async () => {
                  await leaveTenant()
                  await navigate('/')
                },
              })
            }}
          >
            {text.leaveAction}
          </button>
        )
      }
    >
      {null}
    </Section>
  )
}
