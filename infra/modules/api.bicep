// The function app on Flex Consumption. What it may reach it reaches as its identity; what must be secret is referred to in the vault.

@description('Region.')
param location string

@description('Tags of everything.')
param tags object

@description('Suffix that makes names unique.')
param token string

@description('Sizes; see main.bicep.')
param size {
  memoryMb: 512 | 2048 | 4096
  maxInstances: int
  alwaysReady: { name: string, instanceCount: int }[]
  httpConcurrency: int
  poolSize: int
  zoneRedundant: bool
}

@description('Subnet to reach the database through; empty for none.')
param subnetId string

@description('Resource id of the identity that the app runs as.')
param identityId string

@description('Client id of that identity.')
param identityClientId string

@description('Name of the storage account.')
param storageName string

@description('Container of the deployed package.')
param deploymentContainer string

@description('Address of the vault.')
param vaultUri string

@description('Host name of the database server.')
param databaseHost string

@description('Name of the database.')
param databaseName string

@description('Where telemetry goes.')
param insightsConnectionString string

@description('Workspace that diagnostics go to.')
param workspaceId string

@description('Address of the page.')
param page string

@description('Whether the page forwards /api to this app, so that both share one origin.')
param isLinked bool

@description('Names of the keys that sign access tokens, oldest first.')
param authKeys string[]

@description('Names of the keys that seal provider credentials, oldest first.')
param sealingKeys string[]

@description('The mail server.')
param mail { host: string, port: string, userName: string, from: string }

@description('OAuth client id of Google Analytics; empty for none.')
param googleClientId string

@description('OpenID Connect providers.')
param oidcProviders { key: string, clientId: string, name: string?, issuer: string? }[]

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

// Settings by name. A test compares them with what the code reads. ASPNETCORE_FORWARDEDHEADERS_ENABLED stays unset: the worker reads the headers itself.
var platform = {
  AzureWebJobsStorage__blobServiceUri: storage.properties.primaryEndpoints.blob
  AzureWebJobsStorage__queueServiceUri: storage.properties.primaryEndpoints.queue
  AzureWebJobsStorage__tableServiceUri: storage.properties.primaryEndpoints.table
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'Authorization=AAD;ClientId=${identityClientId}'
  // Which identity the Azure libraries mean by "mine".
  AZURE_CLIENT_ID: identityClientId
}
var own = {
  // No password: each connection is opened with a token of the identity, which is the database role kpi_app.
  ConnectionStrings__Postgres: 'Host=${databaseHost};Database=${databaseName};Username=kpi_app;SSL Mode=VerifyFull;Maximum Pool Size=${size.poolSize};Connection Idle Lifetime=60;Timeout=15'
  Postgres__Authentication: 'Entra'
  Web__BaseUrl: page
  // How many entries the platform leaves in X-Forwarded-For was never seen; with too low a number all visitors could share one address,
  // and one of them use up a limit of all. At 0 the limits by account and by target hold alone.
  Http__Proxies: '0'
  // Machines call the function app itself. Its front end appends whom it saw, which is the last entry, so that a token bound to networks
  // works, and the audit log tells it; what came through the static web app bears that one's address, and is refused, or told without one.
  Http__TokenProxies: '1'
  Auth__CurrentKey: last(authKeys)
  Auth__CookieSameSite: isLinked ? 'Strict' : 'None'
  Secrets__CurrentKey: last(sealingKeys)
}
var separate = isLinked ? {} : { Http__AllowedOrigins: page }
var mailSettings = empty(mail.host)
  ? {}
  : union(
      { Mail__Host: mail.host, Mail__From: mail.from },
      empty(mail.port) ? {} : { Mail__Port: mail.port },
      empty(mail.userName) ? {} : { Mail__UserName: mail.userName }
    )
var googleSettings = empty(googleClientId) ? {} : { GoogleAnalytics__ClientId: googleClientId }
var oidcSettings = reduce(
  map(oidcProviders, provider => union(
    { 'Oidc__${provider.key}__ClientId': provider.clientId },
    empty(provider.?name) ? {} : { 'Oidc__${provider.key}__Name': provider.name! },
    empty(provider.?issuer) ? {} : { 'Oidc__${provider.key}__Issuer': provider.issuer! }
  )),
  {},
  (all, some) => union(all, some)
)

// Settings whose value is a secret of the vault: setting and name of the secret.
var generated = concat(
  map(authKeys, key => { setting: 'Auth__SigningKeys__${key}', secret: 'auth-${key}' }),
  map(sealingKeys, key => { setting: 'Secrets__Keys__${key}', secret: 'sealing-${key}' }),
  // Hides tenants in telemetry. Never rotated: a new key makes every tenant a stranger to its own past.
  [{ setting: 'Telemetry__TenantKey', secret: 'telemetry-tenant' }]
)
var entered = concat(
  empty(mail.host) || empty(mail.userName) ? [] : [{ setting: 'Mail__Password', secret: 'mail-password' }],
  empty(googleClientId) ? [] : [{ setting: 'GoogleAnalytics__ClientSecret', secret: 'google-client-secret' }],
  map(oidcProviders, provider => { setting: 'Oidc__${provider.key}__ClientSecret', secret: 'oidc-${provider.key}' })
)
var references = toObject(
  concat(generated, entered),
  item => item.setting,
  item => '@Microsoft.KeyVault(SecretUri=${vaultUri}secrets/${item.secret})'
)
var settings = union(platform, own, separate, mailSettings, googleSettings, oidcSettings, references)

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
    zoneRedundant: size.zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: 'func-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': 'api' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      cors: isLinked
        ? null
        : {
            allowedOrigins: [page]
            supportCredentials: true
          }
      appSettings: map(items(settings), setting => { name: setting.key, value: setting.value })
    }
    functionAppConfig: {
      // A deployment drains what runs instead of killing it. In preview, and not yet in the types.
      #disable-next-line BCP037
      siteUpdateStrategy: {
        type: 'RollingUpdate'
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}${deploymentContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'dotnet-isolated'
        version: '10.0'
      }
      // Scale groups are the platform's: all HTTP functions are one, each timer and each queue function is one.
      scaleAndConcurrency: {
        instanceMemoryMB: size.memoryMb
        maximumInstanceCount: size.maxInstances
        alwaysReady: size.alwaysReady
        triggers: {
          http: {
            perInstanceConcurrency: size.httpConcurrency
          }
        }
      }
    }
  }

  // Deployments come with Entra tokens; there is no password to publish with.
  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: {
      allow: false
    }
  }

  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: {
      allow: false
    }
  }
}

resource planDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: plan
  properties: {
    workspaceId: workspaceId
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

resource appDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: app
  properties: {
    workspaceId: workspaceId
    // The host's own words, also when telemetry itself is what is broken.
    logs: [
      {
        category: 'FunctionAppLogs'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

@description('Resource id.')
output id string = app.id

@description('Name.')
output name string = app.name

@description('Host name.')
output hostName string = app.properties.defaultHostName

@description('Names of the vault secrets that infra/hooks makes. Names alone.')
output generatedSecrets string[] = map(generated, item => item.secret)

@description('Names of the vault secrets that a person enters. Names alone.')
output enteredSecrets string[] = map(entered, item => item.secret)
