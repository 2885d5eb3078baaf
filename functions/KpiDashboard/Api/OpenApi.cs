using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using KpiDashboard.Access;
using KpiDashboard.Annotations;
using KpiDashboard.Auditing;
using KpiDashboard.Automation;
using KpiDashboard.Businesses;
using KpiDashboard.Dashboards;
using KpiDashboard.Formulas;
using KpiDashboard.Goals;
using KpiDashboard.Identity;
using KpiDashboard.Insights;
using KpiDashboard.Kpis;
using KpiDashboard.Members;
using KpiDashboard.Metrics;
using KpiDashboard.Operations;
using KpiDashboard.Privacy;
using KpiDashboard.Push;
using KpiDashboard.Sync;
using KpiDashboard.Webhooks;

namespace KpiDashboard.Api;

/// <summary>On an HTTP trigger: what the OpenAPI document says about it beyond method, route and permission, which stand on the trigger already.</summary>
/// <param name="summary">One line: what it does.</param>
[AttributeUsage(AttributeTargets.Method)]
public sealed class OperationAttribute(string summary) : Attribute
{
    /// <summary>One line: what it does.</summary>
    public string Summary { get; } = summary;

    /// <summary>Status code when all is well.</summary>
    public int Status { get; init; } = 200;

    /// <summary>Type of the JSON answer; null for none.</summary>
    public Type? Response { get; init; }

    /// <summary>Type of the JSON body; null for none.</summary>
    public Type? Body { get; init; }

    /// <summary>Media type of a body that is no JSON; null for none.</summary>
    public string? BodyMedia { get; init; }

    /// <summary>The body may be left out.</summary>
    public bool BodyOptional { get; init; }

    /// <summary>Names of query parameters, separated by spaces; described in <c>OpenApiDocument</c>.</summary>
    public string Query { get; init; } = "";
}

/// <summary>
/// The OpenAPI 3.1 document, made from the triggers themselves and from the types that are really serialized: there is no second copy to keep in step.
/// The TypeScript types of the page are generated from it.
/// </summary>
internal static class OpenApiDocument
{
    /// <summary>Every JSON context whose types the API speaks.</summary>
    private static readonly JsonSerializerContext[] Contexts =
    [
        MetricsJson.Default, BreakdownJson.Default, ProvenanceJson.Default, GoalJson.Default, CalculatedKpiJson.Default, InsightJson.Default, AnnotationJson.Default, AutomationJson.Default, ExecutionJson.Default, LookJson.Default, RunJson.Default, IntegrationJson.Default, GoogleConnectJson.Default, DeadLetterJson.Default, OpsJson.Default, SessionJson.Default, TokenJson.Default, AccountJson.Default, SecondFactorJson.Default,
        OidcJson.Default, TenantJson.Default, MemberJson.Default, AuditJson.Default, PrivacyJson.Default, PushJson.Default, N8nWebhookJson.Default, PushLogJson.Default, DashboardJson.Default, HealthJson.Default, ProblemJson.Default,
    ];

    private static readonly Dictionary<string, (string Description, JsonObject Schema)> Parameters = new(StringComparer.Ordinal)
    {
        ["range"] = (
            "A preset that ends at the last complete day, or today so far, or with the day that 'to' names; instead of 'from' and 'to'.", Choice([.. Period.Presets])),
        ["from"] = ("First day.", Text("date")),
        ["to"] = ("Last day.", Text("date")),
        ["compare"] = ("What to compare with.", Choice("previous_period", "previous_year", "none")),
        ["with"] = ("What else to answer.", Choice("numbers", "insights")),
        ["kpis"] = ("1 to 20 KPI keys, separated by commas.", Text()),
        ["kpi"] = ("A KPI key.", Text()),
        ["date"] = ("The day.", Text("date")),
        ["grain"] = ("Day, week (from the tenant's first weekday) or month.", Choice("day", "week", "month")),
        ["sources"] = ("Only of these: ids of integrations, and push for what is pushed and imported, separated by commas; GET sources lists them. All when left out.", Text()),
        ["source"] = ("The n8n that these runs are of, by the id of its integration; needed where a business has several.", Text()),
        ["dimension"] = ("By what it divides.", Choice([.. Breakdowns.Names])),
        ["member"] = ("One value of the dimension, for example Organic Search; with one KPI only.", Text()),
        ["top"] = ("Most values to list, 10 if left out; the others are the rest.", new JsonObject { ["type"] = "integer", ["minimum"] = 1, ["maximum"] = BreakdownEndpoints.MostMembers }),
        ["integrationId"] = ("This integration only; all, or a new one, without it.", Text("uuid")),
        ["grant"] = ("The grant that a sign-in at Google or a service account's key gave; good for an hour, for the person who got it.", Text("uuid")),
        ["status"] = ("Only runs in this state.", Choice("queued", "running", "waiting", "succeeded", "failed", "dead")),
        // What stands behind a dot tells parameters of the same name apart.
        ["status.run"] = ($"Only runs in these states, separated by commas: {string.Join(", ", ExecutionEndpoints.Statuses)}.", Text()),
        ["kind"] = ($"Only runs of these kinds, separated by commas: {string.Join(", ", ExecutionEndpoints.Kinds)}.", Text()),
        ["workflow"] = ("Only runs of this workflow, by its id at the source.", Text()),
        ["format"] = ("CSV or JSON.", Choice("csv", "json")),
        ["actor"] = ("Only what this person or token did.", Text("uuid")),
        ["action"] = ("Only this action.", Text()),
        ["token"] = ("Id of the token whose signing secret signed the request; or X-Kpi-Token-Id. Not needed with a token itself.", Text("uuid")),
        ["outcome"] = ("What became of the event.", Choice("all", "accepted", "unchanged", "rejected")),
        ["numbers"] = ("What becomes of what was measured.", Choice("keep", "delete")),
        ["mode"] = ("Only look, or write.", Choice("preview", "commit")),
        ["name"] = ("Name of the file, to find it again.", Text()),
        ["delimiter"] = ("What separates columns.", Choice("auto", "comma", "semicolon", "tab")),
        ["decimal"] = ("The decimal mark.", Choice("auto", "point", "comma")),
        ["dates"] = ("What comes first in a date like 03/04/2026: day or month.", Choice("auto", "dmy", "mdy")),
        ["limit"] = ("Most entries of a page.", new JsonObject { ["type"] = "integer", ["minimum"] = 1, ["maximum"] = 200 }),
        ["state"] = ("Only those in this state: active, failing, overdue, paused, reconnect_needed or disconnected.", Text()),
        ["connector"] = ("Only those of this connector, for example n8n.", Text()),
        ["cursor"] = ("The nextCursor of the page before.", Text()),
    };

    /// <summary>Makes the document from the HTTP triggers of an assembly.</summary>
    /// <param name="triggers">The assembly with the trigger methods.</param>
    /// <param name="routePrefix">Prefix of every route (<c>host.json</c>), without slashes.</param>
    public static JsonObject Create(Assembly triggers, string routePrefix = "api")
    {
        var schemas = new SortedDictionary<string, JsonNode>(StringComparer.Ordinal);
        var paths = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
        foreach (var (method, operation, route, verbs) in Operations(triggers))
        {
            var path = $"/{routePrefix}/{route}";
            if (!paths.TryGetValue(path, out var item)) paths[path] = item = [];
            foreach (var verb in verbs) item[verb] = Operation(method, operation, route, verb != "get", schemas);
        }

        Reference(typeof(ProblemBody), schemas);
        return new JsonObject
        {
            ["openapi"] = "3.1.0",
            ["info"] = new JsonObject
            {
                ["title"] = "Dynamic KPI Dashboard",
                ["version"] = "1",
                ["description"] = "Errors are RFC 9457 problem details. Reads carry an ETag and answer 304 to If-None-Match.",
            },
            ["paths"] = new JsonObject(paths.Select(path => KeyValuePair.Create(path.Key, (JsonNode?)path.Value))),
            ["components"] = new JsonObject
            {
                ["schemas"] = new JsonObject(schemas.Select(schema => KeyValuePair.Create(schema.Key, (JsonNode?)schema.Value))),
                ["securitySchemes"] = new JsonObject
                {
                    ["bearer"] = new JsonObject { ["type"] = "http", ["scheme"] = "bearer" },
                    ["header"] = new JsonObject { ["type"] = "apiKey", ["in"] = "header", ["name"] = "X-Kpi-Token" },
                    ["functionKey"] = new JsonObject { ["type"] = "apiKey", ["in"] = "header", ["name"] = "x-functions-key" },
                    ["signature"] = new JsonObject
                    {
                        ["type"] = "apiKey",
                        ["in"] = "header",
                        ["name"] = "webhook-signature",
                        ["description"] = "Standard Webhooks: webhook-id, webhook-timestamp and webhook-signature, made with the signing secret of the token that 'token' or X-Kpi-Token-Id names.",
                    },
                },
            },
        };
    }

    /// <summary>The described HTTP triggers: method, description, route, lower-case verbs.</summary>
    internal static IEnumerable<(MethodInfo Method, OperationAttribute Operation, string Route, IReadOnlyList<string> Verbs)> Operations(Assembly triggers) =>
        from type in triggers.GetExportedTypes()
        from method in type.GetMethods(BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.DeclaredOnly)
        let operation = method.GetCustomAttribute<OperationAttribute>()
        where operation is not null
        // The trigger attribute is the worker's, which this library does not know: read by name.
        let trigger = method.GetParameters().SelectMany(parameter => parameter.GetCustomAttributes()).Single(attribute => attribute.GetType().Name == "HttpTriggerAttribute")
        let route = (string)trigger.GetType().GetProperty("Route")!.GetValue(trigger)!
        let verbs = (string[])trigger.GetType().GetProperty("Methods")!.GetValue(trigger)!
        select (method, operation, route, (IReadOnlyList<string>)[.. verbs.Select(verb => verb.ToLowerInvariant())]);

    private static JsonObject Operation(MethodInfo method, OperationAttribute operation, string route, bool changes, SortedDictionary<string, JsonNode> schemas)
    {
        var required = method.GetCustomAttribute<RequiresAttribute>() ?? throw new InvalidOperationException($"{method.Name} lacks [Requires].");
        var parameters = new JsonArray();
        foreach (var segment in route.Split('/').Where(segment => segment.StartsWith('{')))
            parameters.Add(new JsonObject { ["name"] = segment.Trim('{', '}'), ["in"] = "path", ["required"] = true, ["schema"] = Text() });
        foreach (var name in operation.Query.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var (description, schema) = Parameters[name];
            parameters.Add(new JsonObject { ["name"] = name.Split('.')[0], ["in"] = "query", ["description"] = description, ["schema"] = schema.DeepClone() });
        }

        if (required.Permission is not (Permission.Anonymous or Permission.Operate) && !required.AnyBusiness)
        {
            parameters.Add(new JsonObject
            {
                ["name"] = Authenticator.BusinessHeader,
                ["in"] = "header",
                ["description"] = "Id of the business that is meant; of another than the session is in (or the token belongs to): 409 'other-business', and nothing is done. "
                    + (changes && !required.Person ? "A session must send it (428 'business-not-named'); a token need not." : "May be left out."),
                ["schema"] = Text("uuid"),
            });
        }

        var result = new JsonObject { ["operationId"] = method.Name, ["summary"] = operation.Summary };
        if (parameters.Count > 0) result["parameters"] = parameters;
        if (operation.Body is { } body)
            result["requestBody"] = new JsonObject { ["required"] = !operation.BodyOptional, ["content"] = Json("application/json", Reference(body, schemas)) };
        if (operation.BodyMedia is { } media)
            result["requestBody"] = new JsonObject { ["required"] = true, ["content"] = Json(media, Text()) };
        var answer = new JsonObject { ["description"] = operation.Status == 204 ? "Done." : "As asked." };
        if (operation.Response is { } response) answer["content"] = Json("application/json", Reference(response, schemas));
        result["responses"] = new JsonObject
        {
            [operation.Status.ToString(System.Globalization.CultureInfo.InvariantCulture)] = answer,
            ["default"] = new JsonObject
            {
                ["description"] = "A problem.",
                ["content"] = Json("application/problem+json", Reference(typeof(ProblemBody), schemas)),
            },
        };
        result["security"] = required.Permission == Permission.Anonymous ? []
            : required.Permission == Permission.Operate ? new JsonArray(new JsonObject { ["functionKey"] = new JsonArray() })
            : new JsonArray(new JsonObject { ["bearer"] = new JsonArray() }, new JsonObject { ["header"] = new JsonArray() });
        if (required.Signature) result["security"]!.AsArray().Add((JsonNode)new JsonObject { ["signature"] = new JsonArray() });
        return result;
    }

    private static JsonObject Json(string contentType, JsonNode schema) => new() { [contentType] = new JsonObject { ["schema"] = schema } };

    /// <summary>A reference to the schema of a type; its schema, and those of all it is made of, become components.</summary>
    private static JsonNode Reference(Type type, SortedDictionary<string, JsonNode> schemas) => Hoist(Info(type), schemas);

    private static JsonNode Hoist(JsonTypeInfo info, SortedDictionary<string, JsonNode> schemas)
    {
        if (info.Kind == JsonTypeInfoKind.Enumerable)
            return new JsonObject { ["type"] = "array", ["items"] = Nullable(Hoist(Info(info.ElementType!), schemas), System.Nullable.GetUnderlyingType(info.ElementType!) is not null) };
        if (System.Nullable.GetUnderlyingType(info.Type) is { } underlying) return Hoist(Info(underlying), schemas);
        if (info.Kind != JsonTypeInfoKind.Object) return info.Kind == JsonTypeInfoKind.Dictionary ? JsonSchemaExporter.GetJsonSchemaAsNode(info) : Simple(info);
        if (!schemas.ContainsKey(info.Type.Name))
        {
            schemas[info.Type.Name] = new JsonObject();
            var properties = new JsonObject();
            var required = new JsonArray();
            foreach (var property in info.Properties)
            {
                var nullable = property.IsGetNullable;
                var words = property.AttributeProvider?.GetCustomAttributes(typeof(AllowedValuesAttribute), inherit: true).OfType<AllowedValuesAttribute>().FirstOrDefault();
                var schema = words is null ? Hoist(Info(property.PropertyType), schemas) : Choice([.. words.Values.OfType<string>()]);
                properties[property.Name] = Nullable(schema, nullable);
                // An answer always has all its members, null or not; a request may leave out what has a default.
                if (!(info.Type.Name.EndsWith("Request", StringComparison.Ordinal) && nullable) && !OmitsNulls(info, property)) required.Add(property.Name);
            }

            schemas[info.Type.Name] = new JsonObject { ["type"] = "object", ["properties"] = properties, ["required"] = required };
        }

        return new JsonObject { ["$ref"] = $"#/components/schemas/{info.Type.Name}" };
    }

    private static bool OmitsNulls(JsonTypeInfo info, JsonPropertyInfo property) =>
        property.IsGetNullable && info.OriginatingResolver is JsonSerializerContext context
        && context.Options.DefaultIgnoreCondition == JsonIgnoreCondition.WhenWritingNull;

    private static JsonObject Simple(JsonTypeInfo info)
    {
        if (info.Type.IsEnum)
        {
            return Choice([.. Enum.GetNames(info.Type).Select(JsonNamingPolicy.SnakeCaseLower.ConvertName)]);
        }

        return Type.GetTypeCode(info.Type) switch
        {
            TypeCode.Decimal or TypeCode.Double or TypeCode.Single => new JsonObject { ["type"] = "number" },
            TypeCode.Int16 or TypeCode.Int32 or TypeCode.Int64 => new JsonObject { ["type"] = "integer" },
            TypeCode.Boolean => new JsonObject { ["type"] = "boolean" },
            _ when info.Type == typeof(DateOnly) => Text("date"),
            _ when info.Type == typeof(DateTimeOffset) => Text("date-time"),
            _ when info.Type == typeof(Guid) => Text("uuid"),
            _ => Text(),
        };
    }

    private static JsonNode Nullable(JsonNode schema, bool nullable)
    {
        if (!nullable) return schema;
        if (schema["$ref"] is not null) return new JsonObject { ["anyOf"] = new JsonArray(schema, new JsonObject { ["type"] = "null" }) };
        if (schema["type"] is JsonValue type) schema["type"] = new JsonArray(type.DeepClone(), "null");
        if (schema["enum"] is JsonArray words) words.Add(null);
        return schema;
    }

    private static JsonTypeInfo Info(Type type)
    {
        // From the context that knows the type, so that its naming and strictness count.
        foreach (var context in Contexts)
        {
            if (context.GetTypeInfo(type) is { } info) return info;
        }

        throw new InvalidOperationException($"No JSON context knows {type.Name}.");
    }

    private static JsonObject Text(string? format = null) =>
        format is null ? new JsonObject { ["type"] = "string" } : new JsonObject { ["type"] = "string", ["format"] = format };

    private static JsonObject Choice(params string[] words) =>
        new() { ["type"] = "string", ["enum"] = new JsonArray([.. words.Select(word => (JsonNode)word)]) };
}
