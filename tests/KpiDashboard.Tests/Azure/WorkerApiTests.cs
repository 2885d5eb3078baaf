using System.Globalization;
using System.Reflection;
using System.Runtime.Loader;
using Microsoft.Azure.Functions.Worker.Builder;
using Xunit;

namespace KpiDashboard.Tests.AzureFlavour;

/// <summary>
/// What LocalHost declares in the worker's namespaces is what the worker declares, or the Azure flavour would not compile, or, worse, would compile to something
/// else. The worker's own declarations are kept in <c>worker-api.txt</c>; <c>KPI_WORKER_ASSEMBLIES=</c>folder of a publish of the Azure flavour writes it anew.
/// </summary>
public sealed class WorkerApiTests
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Type[] Local =
        [.. typeof(FunctionsApplicationBuilder).Assembly.GetExportedTypes().Where(type => type.Namespace!.StartsWith("Microsoft.", StringComparison.Ordinal)).OrderBy(type => type.FullName, StringComparer.Ordinal)];

    private static string File => Path.Combine(Repository.Root, "tests", "KpiDashboard.Tests", "Azure", "worker-api.txt");

    [Fact]
    public void Everything_that_LocalHost_declares_in_the_workers_place_is_declared_by_the_worker_too()
    {
        if (Environment.GetEnvironmentVariable("KPI_WORKER_ASSEMBLIES") is { Length: > 0 } folder) WriteAnew(folder);
        var worker = System.IO.File.ReadLines(File).Where(line => !line.StartsWith('#')).ToHashSet(StringComparer.Ordinal);

        var declared = Local.SelectMany(Lines).ToList();

        Assert.True(Local.Length > 20 && declared.Count > 100, $"{Local.Length} types, {declared.Count} declarations");
        Assert.DoesNotContain(declared, line => !worker.Contains(line));
    }

    private static void WriteAnew(string folder)
    {
        var context = new AssemblyLoadContext("worker");
        context.Resolving += (_, name) => Path.Combine(folder, name.Name + ".dll") is var file && System.IO.File.Exists(file) ? context.LoadFromAssemblyPath(file) : null;
        var names = Local.Select(type => type.FullName).ToHashSet();
        var assemblies = Directory.GetFiles(folder, "Microsoft.Azure.Functions.Worker*.dll").Order(StringComparer.Ordinal).Select(context.LoadFromAssemblyPath).ToList();
        var versions = assemblies.Select(assembly => $"{assembly.GetName().Name} {assembly.GetName().Version!.ToString(3)}");
        var types = assemblies.SelectMany(assembly => assembly.GetExportedTypes()).Where(type => names.Contains(type.FullName)).OrderBy(type => type.FullName, StringComparer.Ordinal);
        System.IO.File.WriteAllText(File, string.Join('\n', [$"# {string.Join(", ", versions)}", .. types.SelectMany(Lines)]) + "\n");
    }

    /// <summary>A type and what others may use of it, a line each; without attributes but where an attribute may stand.</summary>
    private static IEnumerable<string> Lines(Type type)
    {
        var usage = type.GetCustomAttributesData().Where(attribute => attribute.AttributeType == typeof(AttributeUsageAttribute))
            .Select(attribute => $" on {(AttributeTargets)(int)attribute.ConstructorArguments[0].Value!}").SingleOrDefault();
        yield return $"{type} : {type.BaseType}{usage}";
        foreach (var constructor in type.GetConstructors(Declared).Where(IsVisible)) yield return $"{type} new({Parameters(constructor)})";
        foreach (var method in type.GetMethods(Declared).Where(IsVisible)) yield return $"{type} {(method.IsStatic ? "static " : "")}{method.ReturnType} {method.Name}({Parameters(method)})";
        if (!type.IsEnum) yield break;
        foreach (var name in type.GetEnumNames()) yield return string.Create(CultureInfo.InvariantCulture, $"{type} {name} = {Convert.ToInt64(Enum.Parse(type, name), CultureInfo.InvariantCulture)}");
    }

    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    private static string Parameters(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter =>
        $"{(parameter.IsDefined(typeof(ParamArrayAttribute)) ? "params " : "")}{parameter.ParameterType} {parameter.Name}{(parameter.HasDefaultValue ? $" = {parameter.DefaultValue ?? "null"}" : "")}"));
}
