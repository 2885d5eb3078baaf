using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

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

    /// <summary>Names of query parameters, separated by spaces; described in an <c>ApiPart</c>.</summary>
    public string Query { get; init; } = "";
}

/// <summary>
/// The OpenAPI 3.1 document, made from the triggers themselves and from the types that are really serialized: there is no second copy to keep in step.
/// The TypeScript types of the page are generated from it.
/// </summary>
internal static class OpenApiDocument
{
    /// <summary>Makes the document from the HTTP triggers of an assembly.</summary>
    /// <param name="triggers">The assembly with the trigger methods.</param>
    /// <param name="parts">What the slices speak.</param>
    /// <param name="routePrefix">Prefix of every route (<c>host.json</c>), without slashes.</param>
    public static JsonObject Create(Assembly triggers, IEnumerable<ApiPart> parts, string routePrefix = "api")
    {
        var schemas = new Schemas(parts);
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
                ["schemas"] = new JsonObject(schemas.Made.Select(schema => KeyValuePair.Create(schema.Key, (JsonNode?)schema.Value))),
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

    private static JsonObject Operation(MethodInfo method, OperationAttribute operation, string route, bool changes, Schemas schemas)
    {
        var required = method.GetCustomAttributes().OfType<ICallRule>().SingleOrDefault() ?? throw new InvalidOperationException($"{method.Name} lacks [Requires].");
        var parameters = new JsonArray();
        foreach (var segment in route.Split('/').Where(segment => segment.StartsWith('{')))
            parameters.Add(new JsonObject { ["name"] = segment.Trim('{', '}'), ["in"] = "path", ["required"] = true, ["schema"] = Text() });
        foreach (var name in operation.Query.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            var (description, schema) = schemas.Parameter(name);
            parameters.Add(new JsonObject { ["name"] = name.Split('.')[0], ["in"] = "query", ["description"] = description, ["schema"] = schema.DeepClone() });
        }

        if (required.NamesBusiness)
        {
            parameters.Add(new JsonObject
            {
                ["name"] = ApiProblem.BusinessHeader,
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
        result["security"] = required.Callers == Callers.Anybody ? []
            : required.Callers == Callers.Operators ? new JsonArray(new JsonObject { ["functionKey"] = new JsonArray() })
            : new JsonArray(new JsonObject { ["bearer"] = new JsonArray() }, new JsonObject { ["header"] = new JsonArray() });
        if (required.Signature) result["security"]!.AsArray().Add((JsonNode)new JsonObject { ["signature"] = new JsonArray() });
        return result;
    }

    private static JsonObject Json(string contentType, JsonNode schema) => new() { [contentType] = new JsonObject { ["schema"] = schema } };

    /// <summary>A reference to the schema of a type; its schema, and those of all it is made of, become components.</summary>
    private static JsonNode Reference(Type type, Schemas schemas) => Hoist(schemas.Info(type), schemas);

    private static JsonNode Hoist(JsonTypeInfo info, Schemas schemas)
    {
        if (info.Kind == JsonTypeInfoKind.Enumerable)
            return new JsonObject { ["type"] = "array", ["items"] = Nullable(Hoist(schemas.Info(info.ElementType!), schemas), System.Nullable.GetUnderlyingType(info.ElementType!) is not null) };
        if (System.Nullable.GetUnderlyingType(info.Type) is { } underlying) return Hoist(schemas.Info(underlying), schemas);
        if (info.Kind != JsonTypeInfoKind.Object) return info.Kind == JsonTypeInfoKind.Dictionary ? JsonSchemaExporter.GetJsonSchemaAsNode(info) : Simple(info);
        if (!schemas.Made.ContainsKey(info.Type.Name))
        {
            schemas.Made[info.Type.Name] = new JsonObject();
            var properties = new JsonObject();
            var required = new JsonArray();
            foreach (var property in info.Properties)
            {
                var nullable = property.IsGetNullable;
                var words = property.AttributeProvider?.GetCustomAttributes(typeof(AllowedValuesAttribute), inherit: true).OfType<AllowedValuesAttribute>().FirstOrDefault();
                var schema = words is null ? Hoist(schemas.Info(property.PropertyType), schemas) : Choice([.. words.Values.OfType<string>()]);
                properties[property.Name] = Nullable(schema, nullable);
                // An answer always has all its members, null or not; a request may leave out what has a default.
                if (!(info.Type.Name.EndsWith("Request", StringComparison.Ordinal) && nullable) && !OmitsNulls(info, property)) required.Add(property.Name);
            }

            schemas.Made[info.Type.Name] = new JsonObject { ["type"] = "object", ["properties"] = properties, ["required"] = required };
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

    private static JsonObject Text(string? format = null) => JsonSchema.Text(format);

    private static JsonObject Choice(params string[] words) => JsonSchema.Choice(words);

    /// <summary>The schemas that were made so far, and what they are made from.</summary>
    private sealed class Schemas(IEnumerable<ApiPart> parts)
    {
        private readonly ApiPart[] _parts = [.. parts];

        /// <summary>By the name of the type.</summary>
        public SortedDictionary<string, JsonNode> Made { get; } = new(StringComparer.Ordinal);

        /// <summary>How a type is written: from the context that knows it, so that its naming and strictness count.</summary>
        public JsonTypeInfo Info(Type type) =>
            _parts.SelectMany(part => part.Json).Select(context => context.GetTypeInfo(type)).FirstOrDefault(info => info is not null)
            ?? throw new InvalidOperationException($"No JSON context knows {type.Name}.");

        /// <summary>A query parameter, which one slice describes.</summary>
        public ApiParameter Parameter(string name) =>
            _parts.Select(part => part.Parameters.GetValueOrDefault(name)).Single(parameter => parameter is not null)!;
    }
}
