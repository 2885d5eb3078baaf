// The database server. Children are made one after another: the server refuses a change while another one is under way (ServerIsBusy).
// The Entra administrator and the roles kpi_owner and kpi_app are made by infra/hooks, with retries, for the same reason.

@description('Region.')
param location string

@description('Tags of everything.')
param tags object

@description('Suffix that makes names unique.')
param token string

@description('Sizes and protection; see main.bicep.')
param size { sku: string, storageGb: int, highAvailability: bool, geoBackup: bool }

@description('Subnet of the private endpoint; empty for a server that is reached from Azure.')
param endpointSubnetId string

@description('Private zone in which the server is found; empty without a private endpoint.')
param dnsZoneId string

@description('Workspace that diagnostics go to.')
param workspaceId string

var skus = loadJsonContent('../postgres-skus.json')
var isPrivate = !empty(endpointSubnetId)
var configurations = [
  { name: 'require_secure_transport', value: 'on' }
  { name: 'ssl_min_protocol_version', value: 'TLSv1.2' }
  // The one extension that is allowed: which statements take how long.
  { name: 'azure.extensions', value: 'PG_STAT_STATEMENTS' }
  { name: 'pg_stat_statements.track', value: 'top' }
  { name: 'log_min_duration_statement', value: '1000' }
  // A transaction that somebody forgot must not hold back vacuum for hours.
  { name: 'idle_in_transaction_session_timeout', value: '300000' }
]

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2025-08-01' = {
  name: 'psql-${token}'
  location: location
  tags: tags
  sku: {
    name: size.sku
    tier: skus[size.sku].tier
  }
  properties: {
    version: '18'
    authConfig: {
      activeDirectoryAuth: 'Enabled'
      passwordAuth: 'Disabled'
      tenantId: tenant().tenantId
    }
    storage: {
      storageSizeGB: size.storageGb
      autoGrow: 'Enabled'
    }
    backup: {
      backupRetentionDays: 35
      geoRedundantBackup: size.geoBackup ? 'Enabled' : 'Disabled'
    }
    highAvailability: {
      mode: size.highAvailability ? 'ZoneRedundant' : 'Disabled'
    }
    network: {
      publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    }
    // Sunday, 03:00 UTC.
    maintenanceWindow: {
      customWindow: 'Enabled'
      dayOfWeek: 0
      startHour: 3
      startMinute: 0
    }
  }
}

resource database 'Microsoft.DBforPostgreSQL/flexibleServers/databases@2025-08-01' = {
  parent: server
  name: 'kpi'
  properties: {
    charset: 'UTF8'
    collation: 'en_US.utf8'
  }
}

@batchSize(1)
resource settings 'Microsoft.DBforPostgreSQL/flexibleServers/configurations@2025-08-01' = [
  for item in configurations: {
    parent: server
    name: item.name
    properties: {
      value: item.value
      source: 'user-override'
    }
    dependsOn: [
      database
    ]
  }
]

// 0.0.0.0 means "from within Azure", any tenant's: the server then still takes nobody but the Entra identities that it knows. Never in prod.
resource fromAzure 'Microsoft.DBforPostgreSQL/flexibleServers/firewallRules@2025-08-01' = if (!isPrivate) {
  parent: server
  name: 'from-azure'
  properties: {
    startIpAddress: '0.0.0.0'
    endIpAddress: '0.0.0.0'
  }
  dependsOn: [
    settings
  ]
}

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = if (isPrivate) {
  name: 'pep-psql-${token}'
  location: location
  tags: tags
  properties: {
    subnet: {
      id: endpointSubnetId
    }
    privateLinkServiceConnections: [
      {
        name: 'postgres'
        properties: {
          privateLinkServiceId: server.id
          groupIds: ['postgresqlServer']
        }
      }
    ]
  }
  dependsOn: [
    settings
  ]

  resource zones 'privateDnsZoneGroups' = {
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: 'postgres'
          properties: {
            privateDnsZoneId: dnsZoneId
          }
        }
      ]
    }
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: server
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'PostgreSQLLogs'
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
  dependsOn: [
    settings
  ]
}

@description('Resource id of the server.')
output id string = server.id

@description('Name of the server.')
output name string = server.name

@description('Host name of the server; a private address in a network of ours.')
output host string = server.properties.fullyQualifiedDomainName

@description('Name of the database.')
output database string = database.name

@description('Connections that the server leaves to us.')
output userConnections int = skus[size.sku].userConnections
