// The page.

@description('Region of the static web app.')
param location string

@description('Tags of everything.')
param tags object

@description('Suffix that makes names unique.')
param token string

@description('Workspace that diagnostics go to.')
param workspaceId string

resource site 'Microsoft.Web/staticSites@2025-03-01' = {
  name: 'stapp-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': 'web' })
  // Standard: a linked backend needs it.
  sku: {
    name: 'Standard'
    tier: 'Standard'
  }
  properties: {
    provider: 'Custom'
    // Previews have no backend, and an address of their own that the API does not know.
    stagingEnvironmentPolicy: 'Disabled'
    allowConfigFileUpdates: true
    enterpriseGradeCdnStatus: 'Disabled'
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: site
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

@description('Name of the static web app.')
output name string = site.name

@description('Host name that Azure gave it.')
output hostName string = site.properties.defaultHostname
