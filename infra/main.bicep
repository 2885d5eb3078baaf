// Deploys Dynamic KPI Dashboard by `azd up`. This file holds what every later part hangs off (names, tags, location); the resources themselves are the
// subject of a part of their own, and no resource is declared here before it can be checked.
targetScope = 'subscription'

@description('Name of the azd environment; part of every resource name and of the tag that azd finds the resources by.')
@minLength(1)
@maxLength(32)
param environmentName string

@description('Azure region of everything but the static web app, which has few regions of its own.')
@metadata({
  azd: {
    type: 'location'
  }
})
param location string

var tags = {
  'azd-env-name': environmentName
}

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-${environmentName}'
  location: location
  tags: tags
}

@description('Resource group that holds everything of this environment.')
output AZURE_RESOURCE_GROUP string = group.name
