using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace KpiDashboard.Api;

internal static class ApiServices
{
    /// <summary>Registers what every request and every answer needs.</summary>
    public static IServiceCollection AddApi(this IServiceCollection services)
    {
        // Only for JsonAnswer, which chooses what may be compressed; there is no middleware.
        services.AddResponseCompression(compression => compression.EnableForHttps = true);
        services.AddOptions<HttpOptions>().BindConfiguration("Http")
            .Validate(
                HttpOptions.IsValid,
                "Http:AllowedOrigins must be origins like https://kpi.example.com, separated by blanks, without paths or wildcards.")
            .ValidateOnStart();
        services.AddSingleton<RequestOrigins>();
        services.AddOptions<AnswerOptions>().BindConfiguration("Answers")
            .Validate(options => options.KeptMegabytes is >= 0 and <= 4096, "Answers:KeptMegabytes must be 0 to 4096.").ValidateOnStart();
        services.AddSingleton<KeptAnswers>();
        services.AddEndpoint<OpenApiEndpoint>();
        services.AddApiPart(
            new Dictionary<string, ApiParameter>
            {
                ["from"] = ApiParameter.Text("First day.", "date"),
                ["to"] = ApiParameter.Text("Last day.", "date"),
                ["format"] = ApiParameter.Choice("CSV or JSON.", "csv", "json"),
                ["limit"] = ApiParameter.Number("Most entries of a page.", 1, 200),
                ["cursor"] = ApiParameter.Text("The nextCursor of the page before."),
            },
            ProblemJson.Default);
        return services;
    }
}
