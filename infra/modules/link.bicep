// One origin: the static web app forwards /api to the function app.

@description('Name of the static web app.')
param webName string

@description('Host name of the static web app.')
param webHostName string

@description('Name of the function app.')
param functionAppName string

@description('Resource id of the function app.')
param functionAppId string

@description('Region of the function app.')
param functionAppLocation string

resource web 'Microsoft.Web/staticSites@2025-03-01' existing = {
  name: webName

  resource backend 'linkedBackends' = {
    name: 'api'
    properties: {
      backendResourceId: functionAppId
      region: functionAppLocation
    }
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: functionAppName
}

// Linking closes the function app to everybody but the static web app, webhooks with a key of their own included. Our own code authenticates every call.
resource open 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: true
    }
    globalValidation: {
      requireAuthentication: false
      unauthenticatedClientAction: 'AllowAnonymous'
    }
    identityProviders: {
      azureStaticWebApps: {
        enabled: true
        registration: {
          clientId: webHostName
        }
      }
    }
    httpSettings: {
      requireHttps: true
    }
  }
  dependsOn: [
    web::backend
  ]
}
