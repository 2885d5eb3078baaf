using System.Globalization;
using System.Text;
using System.Text.Json;
using Azure.Storage.Queues.Models;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace KpiDashboard.LocalHost.Runtime;

/// <summary>
/// Fills the parameters of a function as the worker's converters do. Everything arrives as text: strings, GUIDs, dates and bytes are converted
/// directly, any other type is read as JSON, so a route value binds to <c>int</c> but not to <c>DateOnly</c>.
/// </summary>
internal static class InputBinder
{
    /// <exception cref="InputConversionException">A parameter cannot be filled; the function does not run.</exception>
    public static object?[] Bind(LocalFunctionContext context)
    {
        JsonSerializerOptions json = context.InstanceServices.GetRequiredService<IOptions<JsonSerializerOptions>>().Value;
        object?[] values = new object?[context.Function.Parameters.Length];
        for (int i = 0; i < values.Length; i++)
        {
            FunctionParameter parameter = context.Function.Parameters[i];
            object? source = Source(context, parameter.Name);
            if (TryConvert(context, parameter, source, json, out values[i]))
                continue;
            if (parameter.HasDefaultValue)
                values[i] = parameter.DefaultValue;
            else if (!parameter.IsReferenceOrNullableType)
                throw new InputConversionException($"Function {context.Function.Name} got no value for its parameter {parameter.Name}; give it a default or make it nullable.");
        }

        return values;
    }

    private static object? Source(LocalFunctionContext context, string name) =>
        context.Bindings.InputData.TryGetValue(name, out object? value) ? value
        : context.Bindings.TriggerMetadata.GetValueOrDefault(name);

    private static bool TryConvert(LocalFunctionContext context, FunctionParameter parameter, object? source, JsonSerializerOptions json, out object? value)
    {
        Type type = parameter.Type;
        if (type == typeof(HttpRequest) && context.GetHttpContext() is { } http)
        {
            value = http.Request;
            return true;
        }

        if (type == typeof(FunctionContext))
        {
            value = context;
            return true;
        }

        if (type == typeof(CancellationToken) || type == typeof(CancellationToken?))
        {
            value = context.CancellationToken;
            return true;
        }

        if (source is QueueMessage message)
        {
            if (type == typeof(QueueMessage))
            {
                value = message;
                return true;
            }

            if (type == typeof(byte[]))
            {
                value = message.Body.ToArray();
                return true;
            }

            source = message.Body.ToString();
            if (type == typeof(BinaryData))
            {
                value = BinaryData.FromString((string)source);
                return true;
            }
        }

        value = null;
        return source is string text && TryConvertText(context, parameter, text, json, out value);
    }

    private static bool TryConvertText(LocalFunctionContext context, FunctionParameter parameter, string text, JsonSerializerOptions json, out object? value)
    {
        Type type = parameter.Type;
        Type underlying = Nullable.GetUnderlyingType(type) ?? type;
        if (type.IsAssignableFrom(typeof(string)))
            value = text;
        else if (underlying == typeof(Guid) && Guid.TryParse(text, out Guid guid))
            value = guid;
        else if (underlying == typeof(DateTimeOffset) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, out DateTimeOffset offset))
            value = offset;
        else if (underlying == typeof(DateTime) && DateTime.TryParse(text, CultureInfo.InvariantCulture, out DateTime dateTime))
            value = dateTime;
        else if (type.IsAssignableFrom(typeof(byte[])))
            value = Encoding.UTF8.GetBytes(text);
        else
        {
            try
            {
                value = JsonSerializer.Deserialize(text, type, json);
            }
            catch (Exception e) when (e is JsonException or NotSupportedException)
            {
                throw new InputConversionException($"Function {context.Function.Name} cannot read its parameter {parameter.Name} as {type.Name}: {e.Message}", e);
            }
        }

        return true;
    }
}

/// <summary>A parameter could not be filled.</summary>
internal sealed class InputConversionException(string message, Exception? innerException = null) : Exception(message, innerException);
