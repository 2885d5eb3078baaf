using KpiDashboard.Functions.Middleware;
using KpiDashboard.Functions;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

App.CreateBuilder(args).Build().Run();

namespace KpiDashboard.Functions
{
    /// <summary>The function app.</summary>
    public static class App
    {
        /// <summary>The app ready to be built; tests replace parts of it first.</summary>
        public static FunctionsApplicationBuilder CreateBuilder(string[] args)
        {
            var builder = FunctionsApplication.CreateBuilder(args);
            builder.Services.AddKpiDashboard(builder.Configuration, typeof(App).Assembly);
            // Four lines a request else, two of them with the whole query: codes and states of sign-ins among it.
            builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
            // Only then: with it the host leaves telling of the worker's doings to the worker.
            builder.Services.AddKpiTelemetry(builder.Configuration)?.UseFunctionsWorkerDefaults();

            builder.UseMiddleware<TraceMiddleware>();
            builder.UseWhen<AbortMiddleware>(IsHttp);
            builder.Services.AddSingleton<IStartupFilter, AbortFilter>();
            // Other middleware after this call: before it, the HTTP context is not there yet.
            builder.ConfigureFunctionsWebApplication();
            builder.Services.Configure<KestrelServerOptions>(kestrel => kestrel.AddServerHeader = false);
            builder.Services.WithoutStoredKeys();
            builder.UseWhen<TimerWatchMiddleware>(context => !IsTimer(context));
            builder.UseWhen<ForwardedMiddleware>(IsHttp);
            builder.UseWhen<TelemetryMiddleware>(IsHttp);
            builder.UseWhen<ResponseHeadersMiddleware>(IsHttp);
            builder.UseWhen<ProblemMiddleware>(IsHttp);
            builder.UseWhen<TextMiddleware>(IsHttp);
            builder.UseWhen<OriginMiddleware>(IsHttp);
            builder.UseWhen<AdmissionMiddleware>(IsHttp);
            return builder;
        }

        private static bool IsHttp(FunctionContext context) => IsTriggeredBy(context, "httpTrigger");

        private static bool IsTimer(FunctionContext context) => IsTriggeredBy(context, "timerTrigger");

        private static bool IsTriggeredBy(FunctionContext context, string trigger) =>
            context.FunctionDefinition.InputBindings.Values.Any(binding => binding.Type == trigger);
    }
}
