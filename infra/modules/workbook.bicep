// The operations workbook. It stands on our own metrics and spans: with OpenTelemetry the Invocations tab of the portal may stay empty.

@description('Region.')
param location string

@description('Tags of everything.')
param tags object

@description('Workspace that it reads.')
param workspaceId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, 'operations')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'KPI Dashboard operations'
    category: 'workbook'
    sourceId: workspaceId
    version: 'Notebook/1.0'
    serializedData: string(loadJsonContent('../workbook.json'))
  }
}
