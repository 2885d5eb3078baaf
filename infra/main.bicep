// Deploys Dynamic KPI Dashboard by `azd up`; see docs/azure.md. The sizes of dev and prod are in main.bicepparam.
// No secret passes through here: identities open storage, database and vault, and what must be a secret is made inside the vault by infra/hooks.
targetScope = 'subscription'

@description('Name of the azd environment; part of every resource name and of the tag that azd finds the resources by.')
@minLength(1)
@maxLength(32)
param environmentName string

@description('Azure region of everything but the static web app.')
@metadata({
  azd: {
    type: 'location'
  }
})
param location string

@description('Region of the static web app, which has few of its own. The page itself is served from everywhere.')
@allowed(['centralus', 'eastasia', 'eastus2', 'westeurope', 'westus2'])
param webLocation string

@description('dev or prod: a tag, and what the alerts say of where they come from.')
@allowed(['dev', 'prod'])
param profile string

@description('linked: page and API share the origin of the static web app, which forwards /api. separate: the page calls the function app at its own address, with CORS and a partitioned cookie.')
@allowed(['linked', 'separate'])
param origins string

@description('Address of the page where it has a domain of its own, for example https://kpi.example.com. Empty: the address that Azure gives.')
param webBaseUrl string

@description('Sizes of the function app.')
param functionSize functionSizeType

@description('Sizes and protection of the database.')
param databaseSize databaseSizeType

@description('private: the database has an address in our virtual network alone. azure: it may be reached from Azure, by Entra identities alone.')
@allowed(['azure', 'private'])
param databaseAccess string

@description('Replication of the storage account, which holds queues and deployed packages and no data of customers.')
@allowed(['Standard_LRS', 'Standard_ZRS'])
param storageSku string

@description('Days for which logs and metrics are kept.')
@minValue(30)
@maxValue(730)
param logRetentionDays int

@description('GB of telemetry a day after which no more is taken until midnight UTC, so that a fault cannot cost without end.')
@minValue(1)
param logDailyCapGb int

@description('Percent of requests and dependencies that are kept; counts in queries are scaled up. Metrics are never sampled.')
@minValue(1)
@maxValue(100)
param samplingPercent int

@description('Days for which a deleted vault or secret can be brought back; nobody can shorten them (purge protection).')
@minValue(7)
@maxValue(90)
param vaultRetentionDays int

@description('true once, to bring a vault of this name back that was deleted within its retention.')
param recoverVault bool

@description('Names of the keys that sign access tokens, oldest first; the last one signs. infra/hooks makes what the vault lacks.')
@minLength(1)
param authKeys string[]

@description('Names of the keys that seal provider credentials, oldest first; the last one seals.')
@minLength(1)
param sealingKeys string[]

@description('The mail server; no host means that mails wait in the outbox. The password of userName is the secret mail-password of the vault.')
param mail mailType

@description('OAuth client id of Google Analytics; empty for none. Its secret is google-client-secret in the vault.')
param googleClientId string

@description('OpenID Connect providers. The client secret of each is oidc-<key> in the vault.')
param oidcProviders oidcProviderType[]

@description('Address that alerts and the budget go to. Empty: alerts fire without telling anybody.')
param alertEmail string

@description('Address of docs/runbook.md where people on call can read it; alerts link to its sections.')
param runbookUrl string

@description('Spending of a month, in the currency of the subscription, whose 50, 80 and 100 percent are told to alertEmail.')
@minValue(1)
param monthlyBudget int

@description('First day of the month in which the budget begins. A budget that exists keeps its own: see docs/azure.md.')
param budgetStart string

@description('Sizes of the function app.')
type functionSizeType = {
  @description('MB of memory of an instance; 2048 comes with one core. 512 has a quarter of a core, in which a cold start and a password hash (Argon2id) take seconds.')
  memoryMb: 512 | 2048 | 4096

  @description('On-demand instances of each scale group at most: all HTTP functions are one group, each timer and each queue function is one of its own.')
  maxInstances: int

  @description('Instances that never sleep, by group: http, or function:<name>. They come on top of maxInstances.')
  alwaysReady: { name: string, instanceCount: int }[]

  @description('Requests that one instance serves at a time.')
  httpConcurrency: int

  @description('Connections to Postgres of one instance at most. Times the instances of all groups it must fit what the server allows: a test computes it.')
  poolSize: int

  @description('Spread the instances over availability zones. Each always-ready group then has two instances or more.')
  zoneRedundant: bool
}

@description('Sizes and protection of the database.')
type databaseSizeType = {
  @description('A key of postgres-skus.json.')
  sku: string

  @description('GB; grows by itself.')
  storageGb: 32 | 64 | 128 | 256 | 512 | 1024

  @description('A standby in another zone, which takes over by itself. Not on burstable servers.')
  highAvailability: bool

  @description('Copies of the backups in the paired region. Can be chosen only when the server is made.')
  geoBackup: bool
}

@description('The mail server.')
type mailType = {
  @description('Name of the SMTP server; empty for none.')
  host: string

  @description('Its port; empty for the usual one.')
  port: string

  @description('User to sign in as; empty for none.')
  userName: string

  @description('Address that mails come from.')
  from: string
}

@description('An OpenID Connect provider.')
type oidcProviderType = {
  @description('Key in routes and settings: small letters, digits, dashes. google and microsoft know their name and issuer.')
  key: string

  @description('Our client id there.')
  clientId: string

  @description('Name on the button; empty for google and microsoft.')
  name: string?

  @description('Issuer; empty for google and microsoft.')
  issuer: string?
}

var tags = {
  'azd-env-name': environmentName
  'kpi-profile': profile
}
var token = toLower(uniqueString(subscription().id, environmentName, location))
var isLinked = origins == 'linked'
var isPrivate = databaseAccess == 'private'
var page = empty(webBaseUrl) ? 'https://${web.outputs.hostName}' : webBaseUrl

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    retentionDays: logRetentionDays
    dailyCapGb: logDailyCapGb
    samplingPercent: samplingPercent
    identityPrincipalId: identity.outputs.principalId
  }
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
  }
}

module network 'modules/network.bicep' = if (isPrivate) {
  name: 'network'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    workspaceId: monitoring.outputs.workspaceId
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    sku: storageSku
    identityPrincipalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    retentionDays: vaultRetentionDays
    recover: recoverVault
    identityPrincipalId: identity.outputs.principalId
    deployerPrincipalId: deployer().objectId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module postgres 'modules/postgres.bicep' = {
  name: 'postgres'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    size: databaseSize
    endpointSubnetId: isPrivate ? network!.outputs.endpointSubnetId : ''
    dnsZoneId: isPrivate ? network!.outputs.dnsZoneId : ''
    workspaceId: monitoring.outputs.workspaceId
  }
}

module web 'modules/web.bicep' = {
  name: 'web'
  scope: group
  params: {
    location: webLocation
    tags: tags
    token: token
    workspaceId: monitoring.outputs.workspaceId
  }
}

module api 'modules/api.bicep' = {
  name: 'api'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    size: functionSize
    subnetId: isPrivate ? network!.outputs.functionSubnetId : ''
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageName: storage.outputs.name
    deploymentContainer: storage.outputs.deploymentContainer
    vaultUri: vault.outputs.uri
    databaseHost: postgres.outputs.host
    databaseName: postgres.outputs.database
    insightsConnectionString: monitoring.outputs.insightsConnectionString
    workspaceId: monitoring.outputs.workspaceId
    page: page
    isLinked: isLinked
    authKeys: authKeys
    sealingKeys: sealingKeys
    mail: mail
    googleClientId: googleClientId
    oidcProviders: oidcProviders
  }
}

module link 'modules/link.bicep' = if (isLinked) {
  name: 'link'
  scope: group
  params: {
    webName: web.outputs.name
    webHostName: web.outputs.hostName
    functionAppName: api.outputs.name
    functionAppId: api.outputs.id
    functionAppLocation: location
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    profile: profile
    alertEmail: alertEmail
    runbookUrl: runbookUrl
    insightsId: monitoring.outputs.insightsId
    workspaceId: monitoring.outputs.workspaceId
    postgresId: postgres.outputs.id
    postgresConnections: postgres.outputs.userConnections
    readyUrl: '${isLinked ? 'https://${web.outputs.hostName}' : 'https://${api.outputs.hostName}'}/api/health/ready'
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module budget 'modules/budget.bicep' = {
  name: 'budget'
  scope: group
  params: {
    token: token
    amount: monthlyBudget
    startDate: budgetStart
    contactEmail: alertEmail
    actionGroupId: alerts.outputs.actionGroupId
  }
}

@description('Resource group that holds everything of this environment.')
output AZURE_RESOURCE_GROUP string = group.name

@description('Where people find the page.')
output KPI_WEB_URL string = page

@description('Base address of the API for the page to be built with; empty where both share an origin.')
output VITE_API_BASE string = isLinked ? '' : 'https://${api.outputs.hostName}'

@description('Own address of the API, for machines whose tokens are bound to networks.')
output KPI_API_URL string = 'https://${api.outputs.hostName}'

@description('Name of the function app.')
output KPI_FUNCTION_APP string = api.outputs.name

@description('Name of the vault that infra/hooks makes the keys in.')
output KPI_VAULT string = vault.outputs.name

@description('Name of the database server.')
output KPI_POSTGRES_SERVER string = postgres.outputs.name

@description('Host of the database server.')
output KPI_POSTGRES_HOST string = postgres.outputs.host

@description('Name of the database.')
output KPI_POSTGRES_DATABASE string = postgres.outputs.database

@description('Whether the database server has a public address (azure) or none (private).')
output KPI_DATABASE_ACCESS string = databaseAccess

@description('Object id of the identity that the app runs as; infra/hooks makes it the database role kpi_app.')
output KPI_APP_PRINCIPAL_ID string = identity.outputs.principalId

@description('Names of the vault secrets that the app refers to and infra/hooks makes.')
output KPI_GENERATED_SECRETS string[] = api.outputs.generatedSecrets

@description('Names of the vault secrets that the app refers to and a person enters.')
output KPI_ENTERED_SECRETS string[] = api.outputs.enteredSecrets
