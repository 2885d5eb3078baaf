using KpiDashboard.IntegrationTests.LocalHost;
using System.Net;
using System.Net.Http.Json;
using KpiDashboard.LocalHost.Runtime;
using KpiDashboard.Tests.Shared;
using Xunit;

namespace KpiDashboard.IntegrationTests.App;

/// <summary>The app as it is deployed before anybody set anything: it must start, and say what is missing.</summary>
public sealed class UnconfiguredTests
{
    [Fact]
    public async Task Without_any_setting_the_app_starts_and_says_what_is_missing()
    {
        var data = Directory.CreateTempSubdirectory("kpi-unconfigured-");
        var builder = LocalApp.CreateBuilder(["--port", "0", "--data", data.FullName, "--no-settings", "--set",
            "AzureWebJobs.ScheduleSyncs.Disabled=true",
            "--set", "AzureWebJobs.ClaimSyncs.Disabled=true", "--set", "AzureWebJobs.PoisonClaims.Disabled=true", "--set", "AzureWebJobs.SyncGoogleAnalytics.Disabled=true", "--set", "AzureWebJobs.SyncN8n.Disabled=true",
            "--set", "AzureWebJobs.PoisonGoogleAnalytics.Disabled=true", "--set", "AzureWebJobs.PoisonN8n.Disabled=true",
            "--set", "AzureWebJobs.SweepMail.Disabled=true", "--set", "AzureWebJobs.SendMail.Disabled=true", "--set", "AzureWebJobs.PoisonMail.Disabled=true",
            "--set", "AzureWebJobs.SweepExports.Disabled=true", "--set", "AzureWebJobs.TenantExport.Disabled=true", "--set", "AzureWebJobs.PoisonTenantExport.Disabled=true",
            "--set", "AzureWebJobs.ImportCsv.Disabled=true", "--set", "AzureWebJobs.PoisonImport.Disabled=true", "--set", "AzureWebJobs.SweepImports.Disabled=true",
            "--set", "AzureWebJobs.Housekeeping.Disabled=true"]);
        builder.Console = new SilentConsole();
        builder.Stages.Clear();
        using var host = builder.Build();
        try
        {
            await host.StartAsync(TestContext.Current.CancellationToken);
            using var http = new HttpClient { BaseAddress = ((LocalFunctionsHost)host).Address };

            Assert.Equal("live", (await http.GetJsonAsync("api/health/live"))["status"]!.GetValue<string>());
            using var ready = await http.GetAsync(new Uri("api/health/ready", UriKind.Relative), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, ready.StatusCode);
            var missing = await ready.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            Assert.Contains("Auth:SigningKeys", missing, StringComparison.Ordinal);
            Assert.Contains("Secrets:Keys", missing, StringComparison.Ordinal);
            using var login = await http.PostAsJsonAsync("api/auth/login", new { email = "a@b.example", password = "x" }, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.ServiceUnavailable, login.StatusCode);
            Assert.Contains("ConnectionStrings:Postgres", await login.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
        finally
        {
            await host.StopAsync(CancellationToken.None);
            data.Delete(recursive: true);
        }
    }
}
