using KpiDashboard.Functions;
using KpiDashboard.Functions.Middleware;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Azure.Functions.Worker.OpenTelemetry;
using Microsoft.Extensions.Hosting;

App.CreateBuilder(args).Build().Run();

namespace KpiDashboard.Functions
{
    /// <summary>The function app, the same for both runtimes.</summary>
    public static class App
    {
        /// <summary>The app ready to be built; tests replace parts of it first.</summary>
        public static FunctionsApplicationBuilder CreateBuilder(string[] args)
        {
            var builder = FunctionsApplication.CreateBuilder(args);
            builder.Services.AddKpiDashboard(builder.Configuration, typeof(App).Assembly);
            // Only then: with it the host leaves telling of the worker's doings to the worker.
            builder.Services.AddKpiTelemetry(builder.Configuration)?.UseFunctionsWorkerDefaults();

            // Middleware after this call: before it, the HTTP context is not there yet.
            builder.ConfigureFunctionsWebApplication();
            builder.Services.WithoutStoredKeys();
            builder.UseWhen<TimerWatchMiddleware>(context => !IsTimer(context));
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
