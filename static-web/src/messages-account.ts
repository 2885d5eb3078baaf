// What the pages around signing in say. Not part of the first load: only lazily loaded pages may import this.
import type { Role } from './api/types'

const roles: Record<Role, string> = {
  owner: 'owner',
  admin: 'admin',
  member: 'member',
  viewer: 'viewer',
}
const may: Record<Role, string> = {
  owner: 'You will be able to do everything, up to handing the business over.',
  admin: 'You will be able to see the numbers, change settings and invite people.',
  member: 'You will be able to see the numbers and refresh them.',
  viewer: 'You will be able to see the numbers.',
}
const isRole = (role: string): role is Role => role in roles
const an = (noun: string) => (/^[aeo]/.test(noun) ? `an ${noun}` : `a ${noun}`)

export const account = {
  email: 'E-mail address',
  emailMissing: 'Enter your e-mail address.',
  emailWrong: 'This does not look like an e-mail address.',
  password: 'Password',
  passwordMissing: 'Enter your password.',
  newPassword: 'New password',
  newPasswordMissing: 'Choose a password.',
  newPasswordHint:
    '15 or more characters are best: a few words that only you would put together. Common passwords are refused.',
  show: 'Show the password',
  hide: 'Hide the password',
  name: 'Your name',
  nameMissing: 'Enter your name.',
  toOverview: 'Go to the overview',
  toSignIn: 'Sign in',
  working: 'One moment…',
  failed: 'Something failed on this page. Try again.',
  wait: (seconds: number) =>
    seconds < 90
      ? `Too many attempts. Try again in ${seconds} ${seconds === 1 ? 'second' : 'seconds'}.`
      : `Too many attempts. Try again in ${Math.ceil(seconds / 60)} minutes.`,
  retry: 'Try again',
  thisLink: 'This link',
  incomplete: {
    title: 'This link is incomplete',
    text: 'Open it again from the mail, or copy the whole address from there.',
  },

  signIn: {
    title: 'Sign in',
    lead: 'How is the business doing, and are its automations worth it?',
    leadMore: 'One page, every morning.',
    submit: 'Sign in',
    submitting: 'Signing in…',
    ended: 'Your session has ended. Sign in again to go on.',
    forgot: 'Forgot password?',
    sendAgain: 'Send the confirmation mail again',
    sendingAgain: 'Sending…',
    sentAgain: (email: string) =>
      `If ${email} waits to be confirmed, a mail is on its way. Open its link and enter your password; then sign in.`,
    new: 'New here?',
    register: 'Register',
    or: 'or',
    provider: (name: string) => `Continue with ${name}`,
    problems: {
      cancelled: 'The sign-in was cancelled at the provider. Nothing was changed.',
      expired: 'That sign-in took too long and was ended to be safe. Start it again.',
      provider: 'The provider could not finish the sign-in. Try again later, or use your password.',
      unverified:
        'The provider has not confirmed that this e-mail address is yours, so it cannot be used to sign in here. Confirm it there, or use your password.',
      'no-account': 'No account here belongs to that sign-in. Register, or ask for an invitation.',
      deactivated:
        'This account is deactivated. An owner or admin of the business can reactivate it.',
    } as Readonly<Record<string, string>>,
    problemUnknown:
      'The sign-in through the provider did not work. Try again, or use your password.',
  },

  code: {
    title: 'Enter your code',
    lead: 'Your authenticator app shows six digits for this account.',
    label: 'Six-digit code',
    missing: 'Enter the six digits.',
    recoveryTitle: 'Use a recovery code',
    recoveryLead:
      'One of the codes that you kept when you set up your authenticator app. Each works once.',
    recoveryLabel: 'Recovery code',
    recoveryMissing: 'Enter one of your recovery codes.',
    submit: 'Sign in',
    submitting: 'Checking…',
    toRecovery: 'Use a recovery code instead',
    toApp: 'Use the authenticator app instead',
    expired: 'That sign-in took too long. Start it again.',
    back: 'Back to sign-in',
  },

  register: {
    title: 'Register',
    lead: 'Set up a page for your business. You can connect its sources right after.',
    business: 'Name of the business',
    businessMissing: 'Enter the name of the business.',
    submit: 'Register',
    submitting: 'Setting up…',
    have: 'Already registered?',
    region: (zone: string, currency: string) =>
      `Days end at midnight in ${zone}, money is in ${currency}.`,
    change: 'Change',
    timeZone: 'Time zone',
    currency: 'Currency',
    through: (provider: string, email: string) => `You register through ${provider}, as ${email}.`,
    withProvider: (name: string) => `Register with ${name}`,
    providerExpired: 'The sign-in through the provider has expired. Start it again.',
    otherWay: 'Register with a password instead',
  },

  verify: {
    title: 'Confirm your address',
    working: 'Confirming your address…',
    done: 'Your address is confirmed',
    doneText: 'Everything is open to you now.',
    ask: 'To be sure that the account is yours, enter its password.',
    submit: 'Confirm',
    submitting: 'Confirming…',
    failed: 'The address could not be confirmed',
    again: 'Send a new link',
    sent: (email: string) => `A new link is on its way to ${email}.`,
    signInForNew: 'Have a new link sent from the browser where you registered, or register again.',
    banner: (email: string) => `Confirm your address: we sent a mail to ${email}.`,
    bannerAgain: 'Send again',
    bannerSending: 'Sending…',
    bannerSent: 'Sent. It can take a minute.',
    bannerLabel: 'Your account',
  },

  forgot: {
    title: 'Forgot your password?',
    lead: 'Enter your e-mail address. You get a link to choose a new password.',
    submit: 'Send the link',
    submitting: 'Sending…',
    doneTitle: 'Look into your mail',
    done: (email: string) => `If ${email} has an account, a mail is on its way.`,
    doneMore:
      'It can take a few minutes; look among unwanted mail too. If the address was never confirmed, the mail says how to do that first.',
    other: 'Use another address',
    remembered: 'Remembered it?',
  },

  reset: {
    title: 'Choose a new password',
    lead: 'You are then signed in here, and signed out everywhere else.',
    submit: 'Save and sign in',
    submitting: 'Saving…',
    failedTitle: 'This link no longer works',
    ask: 'Ask for a new link',
  },

  invitation: {
    title: (business: string) => `Join ${business}`,
    pageTitle: 'Invitation',
    by: (who: string, role: string) =>
      `${who} invited you as ${isRole(role) ? an(roles[role]) : role}.`,
    byNobody: (role: string) => `You are invited as ${isRole(role) ? an(roles[role]) : role}.`,
    may: (role: string) => (isRole(role) ? may[role] : ''),
    signedInAs: (email: string) => `You are signed in as ${email}.`,
    join: 'Join',
    joining: 'Joining…',
    has: (email: string) => `${email} has an account already. Sign in to it to join.`,
    signInAndJoin: 'Sign in and join',
    other: 'Sign in another way',
    make: (email: string) => `An account is made for ${email}.`,
    makeAndJoin: 'Make the account and join',
    wrongPerson: (invited: string, signedIn: string) =>
      `This invitation is for ${invited}, but you are signed in as ${signedIn}.`,
    signOut: 'Sign out and go on',
    stay: 'Stay signed in',
    failed: 'This invitation no longer works',
    askAgain:
      'It may have been used, withdrawn or have expired. Whoever invited you can send a new one.',
  },

  confirm: {
    title: 'Confirm that it is you',
    password: 'You signed in a while ago. Enter your password to go on.',
    code: 'You signed in a while ago. Enter a code of your authenticator app to go on.',
    none: 'You signed in a while ago. Sign in again to go on; you come back to this page.',
    submit: 'Confirm',
    submitting: 'Checking…',
    useCode: 'Use a code instead',
    usePassword: 'Use the password instead',
    cancel: 'Cancel',
  },
}
