using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace KpiDashboard.Tests.Infra;

/// <summary>What must hold for a deployment to be safe. Each rule gives a sentence for each thing that breaks it.</summary>
internal static partial class TemplateRules
{
    /// <summary>Types that keep diagnostics, which must all be sent to the workspace.</summary>
    private static readonly HashSet<string> Diagnosed =
    [
        "Microsoft.OperationalInsights/workspaces", "Microsoft.Storage/storageAccounts", "Microsoft.Storage/storageAccounts/blobServices",
        "Microsoft.Storage/storageAccounts/queueServices", "Microsoft.Storage/storageAccounts/tableServices", "Microsoft.KeyVault/vaults",
        "Microsoft.DBforPostgreSQL/flexibleServers", "Microsoft.Web/serverfarms", "Microsoft.Web/sites", "Microsoft.Web/staticSites",
        "Microsoft.Network/virtualNetworks", "Microsoft.Network/networkSecurityGroups",
    ];

    /// <summary>Types that keep none of their own, or (Application Insights) whose diagnostics are the data that the workspace has already.</summary>
    private static readonly HashSet<string> Undiagnosed =
    [
        "Microsoft.Resources/resourceGroups", "Microsoft.ManagedIdentity/userAssignedIdentities", "Microsoft.Insights/diagnosticSettings", "Microsoft.Insights/components",
        "Microsoft.Authorization/roleAssignments", "Microsoft.Network/privateDnsZones", "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
        "Microsoft.Storage/storageAccounts/blobServices/containers", "Microsoft.Storage/storageAccounts/queueServices/queues",
        "Microsoft.DBforPostgreSQL/flexibleServers/databases", "Microsoft.DBforPostgreSQL/flexibleServers/configurations", "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules",
        "Microsoft.Network/privateEndpoints", "Microsoft.Network/privateEndpoints/privateDnsZoneGroups", "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
        "Microsoft.Web/sites/config", "Microsoft.Web/staticSites/linkedBackends", "Microsoft.Insights/actionGroups", "Microsoft.Insights/scheduledQueryRules",
        "Microsoft.Insights/metricAlerts", "Microsoft.Insights/webtests", "Microsoft.Insights/workbooks", "Microsoft.Consumption/budgets",
    ];

    /// <summary>What is wrong with a deployment; empty if nothing is.</summary>
    public static IEnumerable<string> Findings(JsonNode snapshot, bool isProd) =>
        Storage(snapshot).Concat(Vault(snapshot)).Concat(Postgres(snapshot, isProd)).Concat(App(snapshot)).Concat(Monitoring(snapshot)).Concat(Roles(snapshot))
            .Concat(Diagnostics(snapshot)).Concat(Tags(snapshot)).Concat(Outputs(snapshot));

    private static IEnumerable<string> Storage(JsonNode snapshot)
    {
        foreach (var account in Must(snapshot, "Microsoft.Storage/storageAccounts"))
        {
            if (!Is(account, false, "allowSharedKeyAccess")) yield return "storage: shared keys are on";
            if (!Is(account, false, "allowBlobPublicAccess")) yield return "storage: public blobs are allowed";
            if (!Is(account, true, "supportsHttpsTrafficOnly")) yield return "storage: plain http is allowed";
            if (!Is(account, false, "allowCrossTenantReplication")) yield return "storage: may be replicated to other tenants";
            if (Text(account, "minimumTlsVersion") is not ("TLS1_2" or "TLS1_3")) yield return "storage: TLS below 1.2";
        }

        foreach (var container in Must(snapshot, "Microsoft.Storage/storageAccounts/blobServices/containers"))
            if (Text(container, "publicAccess") != "None") yield return "storage: a container is public";
    }

    private static IEnumerable<string> Vault(JsonNode snapshot)
    {
        foreach (var vault in Must(snapshot, "Microsoft.KeyVault/vaults"))
        {
            if (!Is(vault, true, "enablePurgeProtection")) yield return "vault: no purge protection";
            if (!Is(vault, true, "enableSoftDelete")) yield return "vault: no soft delete";
            if (!Is(vault, true, "enableRbacAuthorization")) yield return "vault: access policies instead of roles";
        }

        if (Bicep.Resources(snapshot, "Microsoft.KeyVault/vaults/secrets").Any()) yield return "vault: a template makes secrets";
    }

    private static IEnumerable<string> Postgres(JsonNode snapshot, bool isProd)
    {
        foreach (var server in Must(snapshot, "Microsoft.DBforPostgreSQL/flexibleServers"))
        {
            if (Text(server, "authConfig", "passwordAuth") != "Disabled") yield return "postgres: passwords are on";
            if (Text(server, "authConfig", "activeDirectoryAuth") != "Enabled") yield return "postgres: no Entra authentication";
            if (Number(server, "backup", "backupRetentionDays") != 35) yield return "postgres: not 35 days of backups";
            if (server["properties"]!["administratorLoginPassword"] is not null) yield return "postgres: a password in the template";
            if (!isProd) continue;
            if (Text(server, "network", "publicNetworkAccess") != "Disabled") yield return "postgres: prod has a public address";
            if (Text(server, "highAvailability", "mode") != "ZoneRedundant") yield return "postgres: prod has no standby";
            if (Text(server, "backup", "geoRedundantBackup") != "Enabled") yield return "postgres: prod has no backup elsewhere";
        }

        if (isProd && Bicep.Resources(snapshot, "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules").Any()) yield return "postgres: prod opens its firewall";
        if (isProd && !Bicep.Resources(snapshot, "Microsoft.Network/privateEndpoints").Any()) yield return "postgres: prod has no private endpoint";
        foreach (var rule in Bicep.Resources(snapshot, "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules"))
            if (Text(rule, "startIpAddress") != "0.0.0.0" || Text(rule, "endIpAddress") != "0.0.0.0") yield return "postgres: the firewall is open wider than to Azure";

        var values = Bicep.Resources(snapshot, "Microsoft.DBforPostgreSQL/flexibleServers/configurations")
            .ToDictionary(item => ((string)item["name"]!).Split('/')[1], item => Text(item, "value"), StringComparer.Ordinal);
        if (values.GetValueOrDefault("require_secure_transport") != "on") yield return "postgres: connections without TLS are allowed";
        if (values.GetValueOrDefault("ssl_min_protocol_version") is not ("TLSv1.2" or "TLSv1.3")) yield return "postgres: TLS below 1.2";
        if (values.GetValueOrDefault("azure.extensions") != "PG_STAT_STATEMENTS") yield return "postgres: other extensions than pg_stat_statements";
    }

    private static IEnumerable<string> App(JsonNode snapshot)
    {
        foreach (var app in Must(snapshot, "Microsoft.Web/sites"))
        {
            if (!Is(app, true, "httpsOnly")) yield return "app: plain http is allowed";
            if (Text(app, "siteConfig", "minTlsVersion") is not ("1.2" or "1.3") || Text(app, "siteConfig", "scmMinTlsVersion") is not ("1.2" or "1.3")) yield return "app: TLS below 1.2";
            var identities = app["identity"]?["userAssignedIdentities"]?.AsObject().Select(entry => entry.Key).ToList() ?? [];
            if ((string?)app["identity"]?["type"] != "UserAssigned" || identities.Count != 1) yield return "app: not exactly one identity";
            if (!identities.Contains(Text(app, "keyVaultReferenceIdentity") ?? "")) yield return "app: references to the vault have no identity";
            if (Text(app, "functionAppConfig", "deployment", "storage", "authentication", "type") != "UserAssignedIdentity") yield return "app: its package is read with a key";
            if (app["properties"]!["siteConfig"]!["cors"] is JsonObject cors && cors["allowedOrigins"]!.AsArray().Any(origin => ((string)origin!).Contains('*'))) yield return "app: CORS for everybody";
        }

        if (Must(snapshot, "Microsoft.Web/sites/basicPublishingCredentialsPolicies").Count(policy => Is(policy, false, "allow")) != 2) yield return "app: publishing with a password is allowed";
        foreach (var (name, value) in Bicep.Settings(snapshot))
        {
            if (SecretName().IsMatch(name) && !value.Contains("@Microsoft.KeyVault(SecretUri=", StringComparison.Ordinal)) yield return $"app: {name} holds a secret";
            if (SecretValue().IsMatch(value)) yield return $"app: the value of {name} looks like a secret";
            if (Forbidden.Contains(name)) yield return $"app: {name} must not be set";
        }
    }

    private static IEnumerable<string> Monitoring(JsonNode snapshot)
    {
        foreach (var insights in Must(snapshot, "Microsoft.Insights/components"))
        {
            if (!Is(insights, true, "DisableLocalAuth")) yield return "insights: whoever knows the connection string may write";
            if (Text(insights, "WorkspaceResourceId") is null) yield return "insights: no workspace";
        }

        foreach (var workspace in Must(snapshot, "Microsoft.OperationalInsights/workspaces"))
        {
            if (Number(workspace, "workspaceCapping", "dailyQuotaGb") is not > 0) yield return "workspace: no daily cap";
            if (!Is(workspace, true, "features", "disableLocalAuth")) yield return "workspace: whoever knows its key may write";
        }
    }

    private static IEnumerable<string> Roles(JsonNode snapshot)
    {
        foreach (var role in Must(snapshot, "Microsoft.Authorization/roleAssignments"))
        {
            // The id of what the role is given on comes first, or the whole is extensionResourceId('<that>', …).
            var id = (string)role["id"]!;
            if (!Scope().IsMatch(id)) yield return $"roles: a role is given on more than one resource: {id[..Math.Min(id.Length, 160)]}";
            if (Broad.Contains(Text(role, "roleDefinitionId")!.Split('/')[^1])) yield return "roles: Owner, Contributor or the like";
        }
    }

    private static IEnumerable<string> Diagnostics(JsonNode snapshot)
    {
        var settings = Bicep.Resources(snapshot, "Microsoft.Insights/diagnosticSettings").Where(setting => Text(setting, "workspaceId") is { Length: > 0 }
            && (setting["properties"]!["logs"] is JsonArray { Count: > 0 } || setting["properties"]!["metrics"] is JsonArray { Count: > 0 })).Select(setting => (string)setting["id"]!).ToList();
        foreach (var resource in Bicep.Resources(snapshot))
        {
            var type = Bicep.Type(resource);
            if (Diagnosed.Contains(type) && !settings.Contains($"{resource["id"]}/providers/Microsoft.Insights/diagnosticSettings/to-workspace")) yield return $"diagnostics: {type} has none";
            if (!Diagnosed.Contains(type) && !Undiagnosed.Contains(type)) yield return $"diagnostics: nobody decided about {type}";
        }
    }

    private static IEnumerable<string> Tags(JsonNode snapshot)
    {
        // What has a place has tags, but for the links of a zone and the like, which belong to something that has them.
        foreach (var resource in Bicep.Resources(snapshot).Where(resource => resource.ContainsKey("location")))
            if (resource["tags"]?["azd-env-name"] is null) yield return $"tags: {Bicep.Type(resource)} has none";
        foreach (var (type, service) in new[] { ("Microsoft.Web/sites", "api"), ("Microsoft.Web/staticSites", "web") })
            foreach (var resource in Must(snapshot, type))
                if ((string?)resource["tags"]?["azd-service-name"] != service) yield return $"tags: azd does not find {service}";
    }

    private static IEnumerable<string> Outputs(JsonNode snapshot)
    {
        // azd writes outputs to a file and into user secrets.
        foreach (var (name, output) in snapshot["outputs"]?.AsObject() ?? [])
            if (SecretCall().IsMatch(output?.ToJsonString() ?? "")) yield return $"outputs: {name} is a secret";
    }

    /// <summary>Settings that the platform sets on Flex Consumption, or that would break something.</summary>
    private static readonly HashSet<string> Forbidden =
    [
        "FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_WORKER_RUNTIME_VERSION", "FUNCTIONS_EXTENSION_VERSION", "WEBSITE_RUN_FROM_PACKAGE", "WEBSITE_CONTENTAZUREFILECONNECTIONSTRING",
        "WEBSITE_CONTENTSHARE", "SCM_DO_BUILD_DURING_DEPLOYMENT", "WEBSITE_TIME_ZONE", "TZ", "AzureWebJobsStorage", "ASPNETCORE_FORWARDEDHEADERS_ENABLED",
        // The log of the host, not a place for keys of our own.
        "APPINSIGHTS_INSTRUMENTATIONKEY",
    ];

    /// <summary>Owner, Contributor, User Access Administrator, Role Based Access Control Administrator, Key Vault Administrator.</summary>
    private static readonly HashSet<string> Broad =
    [
        "8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "b24988ac-6180-42a0-ab88-20f7382dd24c", "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
        "00482a5a-887f-4fb3-b363-3b7fe8e74483",
    ];

    /// <summary>Resources of a type, of which there must be some: a rule about nothing holds nothing.</summary>
    private static IEnumerable<JsonObject> Must(JsonNode snapshot, string type)
    {
        var found = Bicep.Resources(snapshot, type).ToList();
        return found.Count > 0 ? found : throw new InvalidOperationException($"The deployment has no {type}.");
    }

    private static JsonNode? At(JsonObject resource, params string[] path) => path.Aggregate(resource["properties"], (node, name) => node?[name]);

    private static string? Text(JsonObject resource, params string[] path) => (string?)At(resource, path);

    private static int? Number(JsonObject resource, params string[] path) => (int?)At(resource, path);

    private static bool Is(JsonObject resource, bool expected, params string[] path) => At(resource, path) is { } value && (bool)value == expected;

    [GeneratedRegex(@"(Password|Secret|TenantKey)$|__(SigningKeys|Keys)__", RegexOptions.IgnoreCase)]
    private static partial Regex SecretName();

    // A password, a key or a signature within a value, or a bare token of 32 bytes and more.
    [GeneratedRegex(@"(?i)(password|pwd|accountkey|sharedaccesskey|sig)\s*=|listkeys\(|listsecrets\(|^[A-Za-z0-9+/]{43,}={0,2}$")]
    private static partial Regex SecretValue();

    [GeneratedRegex(@"(?i)\blist[a-z]*\s*\(|connectionstring|instrumentationkey|password=|accountkey|apikey")]
    private static partial Regex SecretCall();

    [GeneratedRegex(@"^(\[extensionResourceId\(')?/subscriptions/[0-9a-f-]+/resourceGroups/[^/']+/providers/[^/']+/[^/']+/[^/']+('|/)")]
    private static partial Regex Scope();
}
