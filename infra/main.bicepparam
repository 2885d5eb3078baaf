using 'main.bicep'

// One file for both: azd reads main.bicepparam alone. `azd env set KPI_PROFILE prod` chooses, and each other KPI_… variable overrides one value.
var profileName = readEnvironmentVariable('KPI_PROFILE', 'dev')
var profiles = {
  // A handful of businesses, or trying it out: scales to zero, one zone.
  dev: {
    function: {
      memoryMb: 2048
      maxInstances: 2
      alwaysReady: []
      httpConcurrency: 16
      poolSize: 6
      zoneRedundant: false
    }
    // B1ms allows 35 connections: fewer than one each for the scale groups at two instances.
    database: { sku: 'Standard_B2s', storageGb: 32, highAvailability: false, geoBackup: false }
    databaseAccess: 'azure'
    storageSku: 'Standard_LRS'
    logRetentionDays: 30
    logDailyCapGb: 1
    samplingPercent: 100
    vaultRetentionDays: 7
    monthlyBudget: 100
  }
  // Up to about 1,000 businesses; for more see "Capacity" in docs/runbook.md.
  prod: {
    function: {
      memoryMb: 2048
      maxInstances: 4
      // The first request of the morning must not wait for a cold start. Two, because zone redundancy asks for two.
      alwaysReady: [
        { name: 'http', instanceCount: 2 }
      ]
      httpConcurrency: 16
      poolSize: 6
      zoneRedundant: true
    }
    database: { sku: 'Standard_D2ds_v5', storageGb: 128, highAvailability: true, geoBackup: true }
    databaseAccess: 'private'
    storageSku: 'Standard_ZRS'
    logRetentionDays: 90
    logDailyCapGb: 5
    samplingPercent: 100
    vaultRetentionDays: 90
    monthlyBudget: 800
  }
}
var chosen = profiles[profileName]
var wanted = {
  maxInstances: readEnvironmentVariable('KPI_MAX_INSTANCES', '')
  poolSize: readEnvironmentVariable('KPI_POOL_SIZE', '')
  postgresSku: readEnvironmentVariable('KPI_POSTGRES_SKU', '')
  postgresAccess: readEnvironmentVariable('KPI_POSTGRES_ACCESS', '')
  dailyCapGb: readEnvironmentVariable('KPI_LOG_DAILY_CAP_GB', '')
  samplingPercent: readEnvironmentVariable('KPI_SAMPLING_PERCENT', '')
  monthlyBudget: readEnvironmentVariable('KPI_MONTHLY_BUDGET', '')
}

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
param location = readEnvironmentVariable('AZURE_LOCATION')
param webLocation = readEnvironmentVariable('KPI_WEB_LOCATION', 'westeurope')
param profile = profileName
param origins = readEnvironmentVariable('KPI_ORIGINS', 'linked')
param webBaseUrl = readEnvironmentVariable('KPI_WEB_BASE_URL', '')
param functionSize = union(
  chosen.function,
  empty(wanted.maxInstances) ? {} : { maxInstances: int(wanted.maxInstances) },
  empty(wanted.poolSize) ? {} : { poolSize: int(wanted.poolSize) }
)
param databaseSize = union(chosen.database, empty(wanted.postgresSku) ? {} : { sku: wanted.postgresSku })
param databaseAccess = empty(wanted.postgresAccess) ? chosen.databaseAccess : wanted.postgresAccess
param storageSku = chosen.storageSku
param logRetentionDays = chosen.logRetentionDays
param logDailyCapGb = empty(wanted.dailyCapGb) ? chosen.logDailyCapGb : int(wanted.dailyCapGb)
param samplingPercent = empty(wanted.samplingPercent) ? chosen.samplingPercent : int(wanted.samplingPercent)
param vaultRetentionDays = chosen.vaultRetentionDays
param recoverVault = bool(readEnvironmentVariable('KPI_RECOVER_VAULT', 'false'))
param authKeys = split(readEnvironmentVariable('KPI_AUTH_KEYS', 'k1'), ',')
param sealingKeys = split(readEnvironmentVariable('KPI_SEALING_KEYS', 'k1'), ',')
param mail = {
  host: readEnvironmentVariable('KPI_MAIL_HOST', '')
  port: readEnvironmentVariable('KPI_MAIL_PORT', '')
  userName: readEnvironmentVariable('KPI_MAIL_USER', '')
  from: readEnvironmentVariable('KPI_MAIL_FROM', '')
}
param googleClientId = readEnvironmentVariable('KPI_GOOGLE_CLIENT_ID', '')
param oidcProviders = json(readEnvironmentVariable('KPI_OIDC_PROVIDERS', '[]'))
param alertEmail = readEnvironmentVariable('KPI_ALERT_EMAIL', '')
param runbookUrl = readEnvironmentVariable('KPI_RUNBOOK_URL', 'docs/runbook.md')
param monthlyBudget = empty(wanted.monthlyBudget) ? chosen.monthlyBudget : int(wanted.monthlyBudget)
param budgetStart = readEnvironmentVariable('KPI_BUDGET_START')
