using System.Text.Json.Nodes;
using Xunit;

namespace KpiDashboard.Tests.Infra;

/// <summary>What is deployed is safe; and a deployment that is not would be caught, rule by rule.</summary>
[Trait("Clock", "none")]
public sealed class TemplateTests
{
    public static TheoryData<string> Variants => [.. Bicep.Variants.Keys];

    [Theory]
    [MemberData(nameof(Variants))]
    public async Task A_deployment_breaks_no_rule(string variant)
    {
        var snapshot = await Bicep.DeployAsync(variant);

        Assert.Empty(TemplateRules.Findings(snapshot, IsProd(variant)));
    }

    /// <summary>Each line changes one thing of the production deployment and must be found by the rule that it breaks. A path ending in nothing removes a resource.</summary>
    [Theory]
    [InlineData("Microsoft.Storage/storageAccounts", "properties.allowSharedKeyAccess", "true", "storage: shared keys")]
    [InlineData("Microsoft.Storage/storageAccounts", "properties.allowSharedKeyAccess", null, "storage: shared keys")]
    [InlineData("Microsoft.Storage/storageAccounts", "properties.allowBlobPublicAccess", "true", "storage: public blobs")]
    [InlineData("Microsoft.Storage/storageAccounts", "properties.minimumTlsVersion", "\"TLS1_0\"", "storage: TLS")]
    [InlineData("Microsoft.Storage/storageAccounts", "properties.supportsHttpsTrafficOnly", "false", "storage: plain http")]
    [InlineData("Microsoft.Storage/storageAccounts", "properties.allowCrossTenantReplication", "true", "storage: may be replicated")]
    [InlineData("Microsoft.Storage/storageAccounts/blobServices/containers", "properties.publicAccess", "\"Blob\"", "storage: a container")]
    [InlineData("Microsoft.KeyVault/vaults", "properties.enablePurgeProtection", null, "vault: no purge")]
    [InlineData("Microsoft.KeyVault/vaults", "properties.enableRbacAuthorization", "false", "vault: access policies")]
    [InlineData("Microsoft.KeyVault/vaults", "properties.enableSoftDelete", "false", "vault: no soft delete")]
    [InlineData("Microsoft.DBforPostgreSQL/flexibleServers", "properties.authConfig.passwordAuth", "\"Enabled\"", "postgres: passwords")]
    [InlineData("Microsoft.DBforPostgreSQL/flexibleServers", "properties.authConfig.activeDirectoryAuth", "\"Disabled\"", "postgres: no Entra")]
    [InlineData("Microsoft.DBforPostgreSQL/flexibleServers", "properties.backup.backupRetentionDays", "7", "postgres: not 35 days")]
    [InlineData("Microsoft.DBforPostgreSQL/flexibleServers", "properties.network.publicNetworkAccess", "\"Enabled\"", "postgres: prod has a public")]
    [InlineData("Microsoft.DBforPostgreSQL/flexibleServers", "properties.highAvailability.mode", "\"Disabled\"", "postgres: prod has no standby")]
    [InlineData("Microsoft.DBforPostgreSQL/flexibleServers", "properties.backup.geoRedundantBackup", "\"Disabled\"", "postgres: prod has no backup")]
    [InlineData("Microsoft.DBforPostgreSQL/flexibleServers", "properties.administratorLoginPassword", "\"x\"", "postgres: a password")]
    [InlineData("Microsoft.DBforPostgreSQL/flexibleServers/configurations", "properties.value", "\"off\"", "postgres: connections without TLS")]
    [InlineData("Microsoft.Network/privateEndpoints", "", null, "postgres: prod has no private endpoint")]
    [InlineData("Microsoft.Web/sites", "properties.httpsOnly", "false", "app: plain http")]
    [InlineData("Microsoft.Web/sites", "properties.siteConfig.minTlsVersion", "\"1.0\"", "app: TLS")]
    [InlineData("Microsoft.Web/sites", "properties.siteConfig.cors", """{ "allowedOrigins": ["*"] }""", "app: CORS")]
    [InlineData("Microsoft.Web/sites", "identity", null, "app: not exactly one identity")]
    [InlineData("Microsoft.Web/sites", "properties.keyVaultReferenceIdentity", null, "app: references to the vault")]
    [InlineData("Microsoft.Web/sites", "properties.functionAppConfig.deployment.storage.authentication.type", "\"StorageAccountConnectionString\"", "app: its package")]
    [InlineData("Microsoft.Web/sites", "properties.siteConfig.appSettings", """[{ "name": "Mail__Password", "value": "hunter2" }]""", "app: Mail__Password holds")]
    [InlineData("Microsoft.Web/sites", "properties.siteConfig.appSettings", """[{ "name": "X", "value": "Host=a;Username=b;Password=c" }]""", "app: the value of X")]
    [InlineData("Microsoft.Web/sites", "properties.siteConfig.appSettings", """[{ "name": "X", "value": "q83vq83vq83vq83vq83vq83vq83vq83vq83vq83vq80=" }]""", "app: the value of X")]
    [InlineData("Microsoft.Web/sites", "properties.siteConfig.appSettings", """[{ "name": "X", "value": "[listKeys('a', '2025-06-01').keys[0].value]" }]""", "app: the value of X")]
    [InlineData("Microsoft.Web/sites", "properties.siteConfig.appSettings", """[{ "name": "ASPNETCORE_FORWARDEDHEADERS_ENABLED", "value": "true" }]""", "app: ASPNETCORE")]
    [InlineData("Microsoft.Web/sites/basicPublishingCredentialsPolicies", "properties.allow", "true", "app: publishing with a password")]
    [InlineData("Microsoft.Insights/components", "properties.DisableLocalAuth", "false", "insights: whoever")]
    [InlineData("Microsoft.OperationalInsights/workspaces", "properties.workspaceCapping", null, "workspace: no daily cap")]
    [InlineData("Microsoft.OperationalInsights/workspaces", "properties.features.disableLocalAuth", "false", "workspace: whoever")]
    [InlineData("Microsoft.Authorization/roleAssignments", "id", "\"/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/rg-test/providers/Microsoft.Authorization/roleAssignments/x\"", "roles: a role is given on more")]
    [InlineData("Microsoft.Authorization/roleAssignments", "id", "\"[subscriptionResourceId('Microsoft.Authorization/roleAssignments', 'x')]\"", "roles: a role is given on more")]
    [InlineData("Microsoft.Authorization/roleAssignments", "properties.roleDefinitionId", "\"/providers/Microsoft.Authorization/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c\"", "roles: Owner")]
    [InlineData("Microsoft.Insights/diagnosticSettings", "", null, "diagnostics: Microsoft.OperationalInsights/workspaces has none")]
    [InlineData("Microsoft.Insights/diagnosticSettings", "properties.logs", "[]", "diagnostics: Microsoft.OperationalInsights/workspaces has none")]
    [InlineData("Microsoft.Network/virtualNetworks", "type", "\"Microsoft.Network/azureFirewalls\"", "diagnostics: nobody decided")]
    [InlineData("Microsoft.Web/staticSites", "tags.azd-service-name", null, "tags: azd does not find web")]
    [InlineData("Microsoft.KeyVault/vaults", "tags", null, "tags: Microsoft.KeyVault/vaults has none")]
    public async Task A_deployment_with_one_thing_wrong_is_caught(string type, string path, string? value, string finding)
    {
        var snapshot = await Bicep.DeployAsync("prod");
        var resource = Bicep.Resources(snapshot, type).First();
        if (path.Length == 0)
        {
            snapshot["predictedResources"]!.AsArray().Remove(resource);
        }
        else
        {
            var names = path.Split('.');
            var parent = names[..^1].Aggregate((JsonNode)resource, (node, name) => node[name]!).AsObject();
            if (value is null) Assert.True(parent.Remove(names[^1]), "What should be removed is not there.");
            else parent[names[^1]] = JsonNode.Parse(value);
        }

        Assert.Contains(TemplateRules.Findings(snapshot, isProd: true), sentence => sentence.StartsWith(finding, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_firewall_rule_in_production_is_caught()
    {
        var snapshot = await Bicep.DeployAsync("prod");
        var rule = """{ "id": "x", "type": "Microsoft.DBforPostgreSQL/flexibleServers/firewallRules", "name": "a/b", "properties": { "startIpAddress": "0.0.0.0", "endIpAddress": "255.255.255.255" } }""";
        snapshot["predictedResources"]!.AsArray().Add(JsonNode.Parse(rule));

        var findings = TemplateRules.Findings(snapshot, isProd: true).ToList();

        Assert.Contains("postgres: prod opens its firewall", findings);
        Assert.Contains("postgres: the firewall is open wider than to Azure", findings);
    }

    [Fact]
    public async Task A_secret_output_is_caught()
    {
        var snapshot = await Bicep.DeployAsync("prod");
        snapshot["outputs"] = JsonNode.Parse("""{ "KEY": { "type": "string", "value": "[listKeys('x', '2025-06-01').keys[0].value]" } }""");

        Assert.Contains("outputs: KEY is a secret", TemplateRules.Findings(snapshot, isProd: true));
    }

    /// <summary>The same from the source: a change of a file reaches the rules.</summary>
    [Theory]
    [InlineData("modules/vault.bicep", "enablePurgeProtection: true", "enablePurgeProtection: null", "vault: no purge protection")]
    [InlineData("modules/storage.bicep", "scope: account\n    properties: {\n      principalId", "properties: {\n      principalId", "roles: a role is given on more than one resource")]
    [InlineData("modules/api.bicep", "Maximum Pool Size=", "Password=x;Maximum Pool Size=", "app: the value of ConnectionStrings__Postgres")]
    public async Task A_mistake_in_the_source_is_caught(string file, string right, string wrong, string finding)
    {
        using var copy = new FolderCopy(Bicep.Folder);
        var path = Path.Combine(copy.Path, file);
        var text = (await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken)).ReplaceLineEndings("\n");
        Assert.Contains(right, text, StringComparison.Ordinal);
        await File.WriteAllTextAsync(path, text.Replace(right, wrong, StringComparison.Ordinal), TestContext.Current.CancellationToken);

        var snapshot = await Bicep.SnapshotAsync(copy.Path, Bicep.Variants["prod"]);

        Assert.Contains(TemplateRules.Findings(snapshot, isProd: true), sentence => sentence.StartsWith(finding, StringComparison.Ordinal));
    }

    [Fact]
    public async Task There_is_a_queue_for_each_queue_trigger_and_no_other()
    {
        var snapshot = await Bicep.DeployAsync("prod");
        var made = Bicep.Resources(snapshot, "Microsoft.Storage/storageAccounts/queueServices/queues").Select(queue => ((string)queue["name"]!).Split('/')[^1]).Order(StringComparer.Ordinal);

        Assert.Equal(Triggers.Queues.Order(StringComparer.Ordinal), made);
    }

    [Fact]
    public async Task Origins_are_one_by_default_and_two_on_request()
    {
        var linked = await Bicep.DeployAsync("prod");
        var separate = await Bicep.DeployAsync("separate");

        Assert.Single(Bicep.Resources(linked, "Microsoft.Web/staticSites/linkedBackends"));
        Assert.Equal(("0", "Strict"), (Bicep.Settings(linked)["Http__Proxies"], Bicep.Settings(linked)["Auth__CookieSameSite"]));
        Assert.Equal("AllowAnonymous", (string)Bicep.Resources(linked, "Microsoft.Web/sites/config").Single()["properties"]!["globalValidation"]!["unauthenticatedClientAction"]!);
        Assert.Null(Bicep.Resources(linked, "Microsoft.Web/sites").Single()["properties"]!["siteConfig"]!["cors"]);

        Assert.Empty(Bicep.Resources(separate, "Microsoft.Web/staticSites/linkedBackends"));
        Assert.Equal(
            ("0", "None", "https://kpi.example.com"),
            (Bicep.Settings(separate)["Http__Proxies"], Bicep.Settings(separate)["Auth__CookieSameSite"], Bicep.Settings(separate)["Http__AllowedOrigins"]));
        var cors = Bicep.Resources(separate, "Microsoft.Web/sites").Single()["properties"]!["siteConfig"]!["cors"]!;
        Assert.Equal("""{"allowedOrigins":["https://kpi.example.com"],"supportCredentials":true}""", cors.ToJsonString());
    }

    /// <summary>Flex Consumption: the limit holds for each scale group by itself, and always-ready instances come on top.</summary>
    [Theory]
    [MemberData(nameof(Variants))]
    public async Task All_connections_of_all_instances_fit_the_database_server(string variant)
    {
        var (most, allowed) = Connections(await Bicep.DeployAsync(variant));

        // Deployments, people on call and backups need some too.
        Assert.InRange(most, 1, allowed - 15);
    }

    [Fact]
    public async Task Too_many_instances_or_connections_are_caught()
    {
        foreach (var (name, value) in new[] { ("KPI_MAX_INSTANCES", "20"), ("KPI_POOL_SIZE", "40"), ("KPI_POSTGRES_SKU", "Standard_B1ms") })
        {
            var (most, allowed) = Connections(await Bicep.SnapshotAsync(Bicep.Folder, new Dictionary<string, string> { ["KPI_PROFILE"] = "dev", [name] = value }));
            Assert.True(most > allowed, $"{name}={value}: {most} of {allowed}");
        }
    }

    private static (int Most, int Allowed) Connections(JsonNode snapshot)
    {
        var scale = Bicep.Resources(snapshot, "Microsoft.Web/sites").Single()["properties"]!["functionAppConfig"]!["scaleAndConcurrency"]!;
        var alwaysReady = scale["alwaysReady"]!.AsArray().Sum(group => (int)group!["instanceCount"]!);
        var instances = (Triggers.ScaleGroups * (int)scale["maximumInstanceCount"]!) + alwaysReady;
        var pool = Bicep.PoolSize(snapshot);
        var sku = (string)Bicep.Resources(snapshot, "Microsoft.DBforPostgreSQL/flexibleServers").Single()["sku"]!["name"]!;
        var skus = JsonNode.Parse(File.ReadAllText(Path.Combine(Bicep.Folder, "postgres-skus.json")))!;
        return (instances * pool, (int)skus[sku]!["userConnections"]!);
    }

    private static bool IsProd(string variant) => Bicep.Variants[variant]["KPI_PROFILE"] == "prod";
}
