// What wakes somebody. Each rule has a section of its name in docs/runbook.md, and says where.

@description('Region.')
param location string

@description('Tags of everything.')
param tags object

@description('Suffix that makes names unique.')
param token string

@description('dev or prod.')
param profile string

@description('Address to tell; empty for nobody.')
param alertEmail string

@description('Address of docs/runbook.md.')
param runbookUrl string

@description('Resource id of Application Insights.')
param insightsId string

@description('Resource id of the workspace.')
param workspaceId string

@description('Resource id of the database server.')
param postgresId string

@description('Connections that the database server leaves to us.')
param postgresConnections int

@description('Address that the availability test asks.')
param readyUrl string

// A query returns a row for each thing that is wrong. Names and dimensions of metrics are those of Operations/AppMetrics in the product.
var logAlerts = [
  {
    name: 'sync-failed'
    title: 'Syncs fail'
    severity: 2
    frequency: 'PT15M'
    window: 'PT1H'
    query: '''
      AppMetrics
      | where Name == "kpi.sync.runs"
      | extend connector = tostring(Properties.connector), outcome = tostring(Properties.outcome)
      | summarize failed = sumif(Sum, outcome in ("failed", "dead")), total = sum(Sum) by connector
      | where failed >= 5 and failed > 0.2 * total
    '''
  }
  {
    name: 'dead-letters'
    title: 'Syncs or messages were given up'
    severity: 2
    frequency: 'PT15M'
    window: 'PT15M'
    query: '''
      AppMetrics
      | where Name == "kpi.dead_letters.open"
      | summarize open = max(Max)
      | where open > 0
    '''
  }
  {
    name: 'single-businesses'
    title: 'Something is wrong with single businesses'
    severity: 3
    frequency: 'PT15M'
    window: 'PT15M'
    query: '''
      AppMetrics
      | where Name == "kpi.tenants.faulty"
      | summarize businesses = max(Max)
      | where businesses > 0
    '''
  }
  {
    name: 'queue-age'
    title: 'Messages wait too long'
    severity: 2
    frequency: 'PT5M'
    window: 'PT15M'
    query: '''
      AppMetrics
      | where Name == "kpi.queue.age"
      | summarize seconds = max(Max) by queue = tostring(Properties.queue)
      | where seconds > 900
    '''
  }
  {
    name: 'timer-heartbeat'
    title: 'The scheduler does not run'
    severity: 1
    frequency: 'PT5M'
    window: 'PT30M'
    query: '''
      AppMetrics
      | where Name == "kpi.timer.heartbeat.age"
      | summarize seconds = max(Max), reports = count(), latest = max(TimeGenerated)
      | where reports == 0 or seconds > 1200
    '''
  }
  {
    name: 'api-slow'
    title: 'The API is slow'
    severity: 3
    frequency: 'PT5M'
    window: 'PT15M'
    // The 95th percentile needs single requests; where the host reports none, the mean of our own histogram, of which only sum and count are exported.
    query: '''
      let traced = AppRequests
        | where Url has "/api/" and Url !has "/api/health/"
        | summarize requests = sum(ItemCount), p95 = percentilew(DurationMs, ItemCount, 95)
        | where requests >= 20 and p95 > 500
        | project route = "all (95th percentile)", milliseconds = p95;
      let measured = AppMetrics
        | where Name == "kpi.api.duration"
        | summarize seconds = sum(Sum), requests = sum(ItemCount) by route = tostring(Properties.route)
        | where requests >= 20 and seconds / requests > 0.2
        | project route, milliseconds = 1000.0 * seconds / requests;
      union traced, measured
    '''
  }
  {
    name: 'api-errors'
    title: 'The API answers with faults (5xx)'
    severity: 1
    frequency: 'PT5M'
    window: 'PT15M'
    query: '''
      AppMetrics
      | where Name == "kpi.api.duration"
      | extend status = toint(Properties.status)
      | summarize faults = sumif(ItemCount, status >= 500), requests = sum(ItemCount)
      | where faults >= 5 and faults > 0.01 * requests
    '''
  }
  {
    name: 'provider-quota'
    title: 'The quota of a provider runs out'
    severity: 3
    frequency: 'PT15M'
    window: 'PT15M'
    query: '''
      AppMetrics
      | where Name == "kpi.provider.quota.remaining"
      | summarize remaining = min(Min) by connector = tostring(Properties.connector), quota = tostring(Properties.quota)
      | where remaining < 0.1
    '''
  }
  {
    name: 'telemetry-capped'
    title: 'The daily cap of telemetry was reached'
    severity: 2
    frequency: 'PT15M'
    window: 'PT15M'
    query: '''
      _LogOperation
      | where Category =~ "Ingestion"
      | where Detail has "OverQuota"
    '''
  }
]

var postgresAlerts = [
  { name: 'postgres-storage', title: 'The disk of the database fills', severity: 1, metric: 'storage_percent', threshold: 80, window: 'PT15M' }
  { name: 'postgres-cpu', title: 'The database works at its limit', severity: 2, metric: 'cpu_percent', threshold: 85, window: 'PT15M' }
  // Four fifths of what the server allows.
  { name: 'postgres-connections', title: 'The connections of the database run out', severity: 1, metric: 'active_connections', threshold: postgresConnections * 8 / 10, window: 'PT5M' }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${token}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'kpi-${profile}'
    enabled: true
    emailReceivers: empty(alertEmail)
      ? []
      : [
          {
            name: 'on-call'
            emailAddress: alertEmail
            useCommonAlertSchema: true
          }
        ]
  }
}

resource fromLogs 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for alert in logAlerts: {
    name: alert.name
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${alert.title} (${profile})'
      description: '${runbookUrl}#${alert.name}'
      severity: alert.severity
      enabled: true
      evaluationFrequency: alert.frequency
      windowSize: alert.window
      scopes: [workspaceId]
      // Before the first telemetry the workspace knows no such tables.
      skipQueryValidation: true
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: alert.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: [people.id]
        customProperties: {
          runbook: '${runbookUrl}#${alert.name}'
        }
      }
    }
  }
]

resource fromPostgres 'Microsoft.Insights/metricAlerts@2018-03-01' = [
  for alert in postgresAlerts: {
    name: alert.name
    location: 'global'
    tags: tags
    properties: {
      description: '${alert.title} (${profile}): ${runbookUrl}#${alert.name}'
      severity: alert.severity
      enabled: true
      scopes: [postgresId]
      evaluationFrequency: 'PT5M'
      windowSize: alert.window
      autoMitigate: true
      criteria: {
        'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
        allOf: [
          {
            criterionType: 'StaticThresholdCriterion'
            name: alert.metric
            metricNamespace: 'Microsoft.DBforPostgreSQL/flexibleServers'
            metricName: alert.metric
            operator: 'GreaterThan'
            threshold: alert.threshold
            timeAggregation: 'Average'
          }
        ]
      }
      actions: [
        {
          actionGroupId: people.id
        }
      ]
    }
  }
]

resource ready 'Microsoft.Insights/webtests@2022-06-15' = {
  name: 'ready-${token}'
  location: location
  // The tag is how Application Insights finds its tests.
  tags: union(tags, { 'hidden-link:${insightsId}': 'Resource' })
  kind: 'standard'
  properties: {
    SyntheticMonitorId: 'ready-${token}'
    Name: 'health/ready (${profile})'
    Kind: 'standard'
    Enabled: true
    Frequency: profile == 'prod' ? 300 : 900
    Timeout: 30
    RetryEnabled: true
    Locations: [
      { Id: 'emea-nl-ams-azr' }
      { Id: 'us-va-ash-azr' }
      { Id: 'apac-sg-sin-azr' }
    ]
    Request: {
      RequestUrl: readyUrl
      HttpVerb: 'GET'
      FollowRedirects: false
      ParseDependentRequests: false
    }
    ValidationRules: {
      ExpectedHttpStatusCode: 200
      SSLCheck: true
      SSLCertRemainingLifetimeCheck: 7
    }
  }
}

resource notReady 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'not-ready'
  location: 'global'
  tags: tags
  properties: {
    description: 'The app is not ready, seen from two places (${profile}): ${runbookUrl}#not-ready'
    severity: 0
    enabled: true
    scopes: [insightsId, ready.id]
    evaluationFrequency: 'PT5M'
    windowSize: profile == 'prod' ? 'PT5M' : 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.WebtestLocationAvailabilityCriteria'
      webTestId: ready.id
      componentId: insightsId
      failedLocationCount: 2
    }
    actions: [
      {
        actionGroupId: people.id
      }
    ]
  }
}

@description('Action group that everything tells.')
output actionGroupId string = people.id
