using KpiDashboard.Functions;
using KpiDashboard.Functions.Middleware;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Azure.Functions.Worker.Builder;
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

            // Middleware after this call: before it, the HTTP context is not there yet.
            builder.ConfigureFunctionsWebApplication();
            builder.UseWhen<ResponseHeadersMiddleware>(IsHttp);
            builder.UseWhen<ProblemMiddleware>(IsHttp);
            builder.UseWhen<OriginMiddleware>(IsHttp);
            builder.UseWhen<AdmissionMiddleware>(IsHttp);
            return builder;
        }

        private static bool IsHttp(FunctionContext context) =>
            context.FunctionDefinition.InputBindings.Values.Any(binding => binding.Type == "httpTrigger");
    }
}
