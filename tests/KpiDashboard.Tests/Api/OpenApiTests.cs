using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Functions;
using KpiDashboard.Tests.Shared;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace KpiDashboard.Tests.Api;

[Trait("Clock", "none")]
public sealed class OpenApiTests
{
    private static readonly string[] Verbs = ["get", "post", "put", "patch", "delete"];

    private static JsonObject Document { get; } = JsonNode.Parse(OpenApiEndpoint.Text(typeof(App).Assembly, Contributed.ApiParts))!.AsObject();

    private static IEnumerable<(string Path, string Verb, JsonObject Operation)> Operations =>
        from path in Document["paths"]!.AsObject()
        from verb in path.Value!.AsObject()
        select (path.Key, verb.Key, verb.Value!.AsObject());

    private static IEnumerable<JsonObject> Objects(JsonNode? node) => node switch
    {
        JsonObject item => item.Select(member => member.Value).SelectMany(Objects).Prepend(item),
        JsonArray items => items.SelectMany(Objects),
        _ => [],
    };

    [Fact]
    public void The_file_beside_the_page_is_what_this_build_serves()
    {
        var file = Path.Combine(Repository.Root, "static-web", "openapi.json");
        var generated = OpenApiEndpoint.Text(typeof(App).Assembly, Contributed.ApiParts);
        if (Environment.GetEnvironmentVariable("KPI_UPDATE_OPENAPI") == "1") File.WriteAllText(file, generated);
        Assert.True(
            File.Exists(file) && File.ReadAllText(file).ReplaceLineEndings("\n") == generated.ReplaceLineEndings("\n"),
            "static-web/openapi.json is not what the API answers any more. Run the tests once with KPI_UPDATE_OPENAPI=1 to write it anew, "
            + "then 'npm run api-types' in static-web to make the TypeScript types from it, and commit both.");
    }

    /// <summary>Reads that <c>sources=</c> would mean nothing to, each with the reason: whoever adds a read gives it <c>sources</c>, or says here why not.</summary>
    private static readonly Dictionary<string, string> NotOfSources = new(StringComparer.Ordinal)
    {
        ["/api/audit"] = "who did what",
        ["/api/audit/export"] = "who did what",
        ["/api/auth/me"] = "a person",
        ["/api/auth/me/export"] = "a person",
        ["/api/auth/oidc/pending"] = "a person",
        ["/api/auth/oidc/{provider}/callback"] = "a sign-in",
        ["/api/auth/oidc/{provider}/start"] = "a sign-in",
        ["/api/auth/providers"] = "a sign-in",
        ["/api/auth/second-factor"] = "a person",
        ["/api/auth/sessions"] = "a person",
        ["/api/automation/executions/{id}"] = "one run, which has one source",
        ["/api/dashboards"] = "layouts without numbers",
        ["/api/dashboards/{id}"] = "a layout without numbers",
        ["/api/dashboards/{id}/shares"] = "links",
        ["/api/demo"] = "the installation",
        ["/api/health/live"] = "the installation",
        ["/api/health/ready"] = "the installation",
        ["/api/openapi.json"] = "this document",
        ["/api/imports"] = "imports are of what is pushed",
        ["/api/imports/{id}"] = "imports are of what is pushed",
        ["/api/push/log"] = "events, each of one source",
        ["/api/integrations"] = "the sources themselves",
        ["/api/integrations/google-analytics/authorize"] = "a sign-in",
        ["/api/integrations/google-analytics/callback"] = "a sign-in",
        ["/api/integrations/google-analytics/properties"] = "a sign-in",
        ["/api/integrations/{id}"] = "one source",
        ["/api/integrations/{id}/workflows"] = "of one source",
        ["/api/sources"] = "the sources themselves",
        ["/api/sync/runs"] = "runs, each of one source: integrationId",
        ["/api/sync/runs/{id}"] = "one run",
        ["/api/kpis/calculated"] = "definitions without numbers",
        ["/api/kpis/custom"] = "definitions without numbers",
        ["/api/members"] = "people",
        ["/api/roles"] = "rights",
        ["/api/tokens"] = "tokens",
        ["/api/ops/dead-letters"] = "the installation",
        ["/api/ops/faults"] = "the installation",
        ["/api/ops/host"] = "the installation",
        ["/api/ops/integrations"] = "the installation",
        ["/api/ops/overview"] = "the installation",
        ["/api/shared/dashboard"] = "the link and its tiles say of which sources; whoever has it chooses nothing more",
        ["/api/tenant"] = "settings",
        ["/api/tenants"] = "one line a business, of all its sources",
        ["/api/tenant/exports"] = "everything that is kept",
        ["/api/tenant/exports/{id}"] = "everything that is kept",
        ["/api/tenant/exports/{id}/download"] = "everything that is kept",
    };

    [Fact]
    public void Every_read_can_be_narrowed_to_sources_or_says_why_that_means_nothing()
    {
        static bool Narrows(JsonObject operation) =>
            (operation["parameters"]?.AsArray() ?? []).Any(parameter => (string?)parameter!["name"] == "sources" && (string?)parameter["in"] == "query");
        var reads = Operations.Where(operation => operation.Verb == "get").ToList();
        Assert.Empty(reads.Where(read => !Narrows(read.Operation) && !NotOfSources.ContainsKey(read.Path)).Select(read => read.Path));
        // What is gone or takes it meanwhile is no exception any more.
        Assert.Empty(NotOfSources.Keys.Except(reads.Where(read => !Narrows(read.Operation)).Select(read => read.Path)));
    }

    [Fact]
    public void It_is_an_OpenAPI_3_1_document_with_the_members_that_one_must_have()
    {
        Assert.StartsWith("3.1.", (string)Document["openapi"]!, StringComparison.Ordinal);
        Assert.NotEmpty((string)Document["info"]!["title"]!);
        Assert.NotEmpty((string)Document["info"]!["version"]!);
        Assert.All(Operations, operation =>
        {
            Assert.StartsWith("/api/", operation.Path, StringComparison.Ordinal);
            Assert.Contains(operation.Verb, Verbs);
            Assert.NotEmpty((string)operation.Operation["summary"]!);
            Assert.All(operation.Operation["responses"]!.AsObject(), response =>
            {
                Assert.Matches("^(default|2[0-9]{2}|302)$", response.Key);
                Assert.NotEmpty((string)response.Value!["description"]!);
            });
        });
    }

    [Fact]
    public void Every_reference_leads_to_a_schema_and_every_schema_is_referred_to()
    {
        var schemas = Document["components"]!["schemas"]!.AsObject().Select(schema => schema.Key).ToList();
        var references = Objects(Document).Select(item => (string?)item["$ref"]).OfType<string>().ToList();
        Assert.NotEmpty(references);
        Assert.All(references, reference => Assert.Contains(reference.Replace("#/components/schemas/", "", StringComparison.Ordinal), schemas));
        Assert.Equal(schemas.Order(), references.Select(reference => reference.Split('/')[^1]).Distinct().Order());
    }

    [Fact]
    public void Every_operation_id_is_unique()
    {
        var ids = Operations.Select(operation => (string)operation.Operation["operationId"]!).ToList();
        Assert.Equal(ids.Count, ids.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        Assert.All(ids, id => Assert.Matches("^[A-Za-z][A-Za-z0-9]+$", id));
    }

    /// <summary>Found without the document's own code: every parameter with an HTTP trigger.</summary>
    private static List<(MethodInfo Method, string Route, string[] Verbs)> Triggers { get; } =
    [
        .. from type in typeof(App).Assembly.GetTypes()
           from method in type.GetMethods()
           from parameter in method.GetParameters()
           from attribute in parameter.GetCustomAttributesData()
           where attribute.AttributeType.Name == "HttpTriggerAttribute"
           let trigger = (Microsoft.Azure.Functions.Worker.HttpTriggerAttribute)parameter.GetCustomAttributes().Single(it => it.GetType() == attribute.AttributeType)
           select (method, $"/api/{trigger.Route}", (trigger.Methods ?? []).Select(verb => verb.ToLowerInvariant()).ToArray()),
    ];

    [Fact]
    public void Every_HTTP_trigger_is_described_and_nothing_else_is() =>
        Assert.Equal(
            Triggers.SelectMany(trigger => trigger.Verbs.Select(verb => $"{verb} {trigger.Route}")).Order(),
            Operations.Select(operation => $"{operation.Verb} {operation.Path}").Order());

    [Fact]
    public void Every_HTTP_trigger_says_what_its_caller_must_be_allowed_and_only_these_let_anybody_in()
    {
        Assert.All(Triggers, trigger => Assert.NotNull(trigger.Method.GetCustomAttribute<RequiresAttribute>()));
        Assert.Equal(
            [
                "get /api/auth/oidc/{provider}/callback", "get /api/auth/oidc/{provider}/start", "get /api/auth/oidc/pending", "get /api/auth/providers", "get /api/health/live",
                "get /api/health/ready", "get /api/integrations/google-analytics/callback", "get /api/openapi.json", "get /api/shared/dashboard", "post /api/auth/accept-invitation", "post /api/auth/forgot-password", "post /api/auth/invitation", "post /api/auth/login",
                "post /api/auth/logout", "post /api/auth/oidc/register", "post /api/auth/refresh", "post /api/auth/register", "post /api/auth/reset-password", "post /api/auth/second-factor",
                "post /api/auth/verify-email", "post /api/auth/verify-email/request",
            ],
            Triggers.Where(trigger => trigger.Method.GetCustomAttribute<RequiresAttribute>()!.Permission == Permission.Anonymous)
                .SelectMany(trigger => trigger.Verbs.Select(verb => $"{verb} {trigger.Route}")).Order());
    }

    [Fact]
    public void An_open_route_needs_no_token_and_any_other_takes_it_in_either_header() => Assert.All(Triggers, trigger =>
    {
        foreach (var verb in trigger.Verbs)
        {
            var security = Document["paths"]![trigger.Route]![verb]!["security"]!.AsArray();
            var required = trigger.Method.GetCustomAttribute<RequiresAttribute>()!;
            string[] ways = required.Permission switch
            {
                Permission.Anonymous => [],
                Permission.Operate => ["functionKey"],
                _ => required.Signature ? ["bearer", "header", "signature"] : ["bearer", "header"],
            };
            Assert.Equal(ways, security.Select(way => way!.AsObject().Single().Key));
        }
    });

    [Fact]
    public void Every_part_of_a_path_in_braces_is_a_required_parameter_and_parameters_are_named_once() => Assert.All(Operations, operation =>
    {
        var parameters = operation.Operation["parameters"]?.AsArray().Select(parameter => parameter!.AsObject()).ToList() ?? [];
        Assert.Equal(
            operation.Path.Split('/').Where(part => part.StartsWith('{')).Select(part => part.Trim('{', '}')).Order(),
            parameters.Where(parameter => (string?)parameter["in"] == "path" && (bool?)parameter["required"] == true).Select(parameter => (string)parameter["name"]!).Order());
        Assert.Equal(parameters.Count, parameters.Select(parameter => (string)parameter["name"]!).Distinct().Count());
        Assert.All(parameters, parameter => Assert.NotNull(parameter["schema"]));
    });

    [Fact]
    public void Every_schema_has_a_type_that_JSON_knows_and_enumerations_are_words() => Assert.All(
        Document["components"]!["schemas"]!.AsObject().SelectMany(schema => Objects(schema.Value).Where(item => item["type"] is JsonValue or JsonArray)),
        schema =>
        {
            var types = schema["type"] is JsonArray several ? [.. several.Select(type => (string)type!)] : new[] { (string)schema["type"]! };
            Assert.All(types, type => Assert.Contains(type, new[] { "object", "array", "string", "number", "integer", "boolean", "null" }));
            if (types.Contains("object")) Assert.True(schema["properties"] is not null || schema["additionalProperties"] is not null, schema.ToJsonString());
            if (types.Contains("array")) Assert.NotNull(schema["items"]);
            if (schema["required"] is JsonArray required) Assert.All(required, name => Assert.NotNull(schema["properties"]![(string)name!]));
            if (schema["enum"] is JsonArray words) Assert.All(words, word => Assert.True(word is null ? types.Contains("null") : word.GetValueKind() == JsonValueKind.String));
        });

    [Theory]
    [InlineData("SummaryKpi", "value", "number null")]
    [InlineData("SummaryKpi", "change", "number null")]
    [InlineData("SummaryKpi", "key", "string")]
    [InlineData("SummaryKpi", "status", "final provisional partial not_measurable")]
    [InlineData("SummaryKpi", "direction", "up down neutral")]
    [InlineData("SummaryKpi", "sparkline", "array of number null")]
    [InlineData("HistoryPoint", "date", "string date")]
    [InlineData("HistoryPoint", "value", "number null")]
    [InlineData("RunResponse", "id", "string uuid")]
    [InlineData("RunResponse", "finishedAt", "string null date-time")]
    [InlineData("RunResponse", "readings", "integer")]
    [InlineData("RunResponse", "status", "queued running waiting succeeded failed dead")]
    [InlineData("SummaryResponse", "compareFrom", "string null date")]
    [InlineData("SummaryResponse", "isDemo", "boolean")]
    [InlineData("WorkflowPerformance", "timeSavedMinutes", "number null")]
    [InlineData("ProblemBody", "status", "integer")]
    [InlineData("ProblemBody", "errors", "object null")]
    public void A_property_has_the_type_that_is_really_sent(string schema, string property, string expected)
    {
        var node = Document["components"]!["schemas"]![schema]!["properties"]![property]!.AsObject();
        Assert.Equal(expected, Describe(node));

        static string Describe(JsonObject node) => (node["type"], node["enum"]) switch
        {
            (_, JsonArray words) => string.Join(' ', words.Select(word => (string?)word)),
            (JsonArray types, _) => string.Join(' ', types.Select(type => (string?)type).Append((string?)node["format"]).OfType<string>()),
            (JsonValue type, _) when (string?)type == "array" => "array of " + Describe(node["items"]!.AsObject()),
            (JsonValue type, _) => string.Join(' ', new[] { (string?)type, (string?)node["format"] }.OfType<string>()),
            _ => node.ToJsonString(),
        };
    }

    [Theory]
    [InlineData("CreateTokenRequest", "name scopes")]
    [InlineData("LoginRequest", "email password")]
    [InlineData("SwitchRequest", "tenantId")]
    [InlineData("RefreshRequest", "")]
    [InlineData("ProblemBody", "detail status title traceId type")]
    [InlineData("HistoryPoint", "date status value")]
    [InlineData("SessionResponse", "accessToken expiresIn tenant tenants user")]
    [InlineData("MeResponse", "tenant tenants user")]
    public void What_a_request_must_hold_and_an_answer_always_holds_is_said(string schema, string required) =>
        Assert.Equal(
            required.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            Document["components"]!["schemas"]![schema]!["required"]!.AsArray().Select(name => (string)name!).Order());

    [Fact]
    public void Every_operation_answers_problems_as_problem_json() => Assert.All(Operations, operation =>
        Assert.Equal("#/components/schemas/ProblemBody", (string?)operation.Operation["responses"]!["default"]!["content"]!["application/problem+json"]!["schema"]!["$ref"]));

    [Fact]
    public void It_is_served_as_JSON()
    {
        var answer = Assert.IsType<Microsoft.AspNetCore.Http.HttpResults.ContentHttpResult>(new OpenApiEndpoint(new TriggerAssembly(typeof(App).Assembly), Contributed.ApiParts).Get());
        Assert.StartsWith("application/json", answer.ContentType, StringComparison.Ordinal);
        Assert.Equal(OpenApiEndpoint.Text(typeof(App).Assembly, Contributed.ApiParts), answer.ResponseContent);
    }
}
