// Tells when the month's spending passes 50, 80 and 100 percent. It stops nothing.

@description('Suffix that makes names unique.')
param token string

@description('Spending of a month, in the currency of the subscription.')
param amount int

@description('First day of a month.')
param startDate string

@description('Address to tell; empty for the action group alone.')
param contactEmail string

@description('Action group to tell.')
param actionGroupId string

resource budget 'Microsoft.Consumption/budgets@2023-11-01' = {
  name: 'budget-${token}'
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: {
      startDate: startDate
    }
    notifications: toObject([50, 80, 100], percent => 'at${percent}', percent => {
      enabled: true
      operator: 'GreaterThanOrEqualTo'
      threshold: percent
      thresholdType: 'Actual'
      contactEmails: empty(contactEmail) ? [] : [contactEmail]
      contactGroups: [actionGroupId]
    })
  }
}
