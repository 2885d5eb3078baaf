using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Api;

/// <summary>
/// A request that cannot be answered as asked. One middleware turns it into RFC 9457 <c>application/problem+json</c>; nothing was written when it is thrown.
/// </summary>
internal sealed class ApiProblem : Exception
{
    private ApiProblem(int status, string type, string title, string detail, IReadOnlyDictionary<string, string[]>? errors = null)
        : base(detail)
    {
        Status = status;
        Type = type;
        Title = title;
        Errors = errors;
    }

    /// <summary>HTTP status code.</summary>
    public int Status { get; }

    /// <summary>Stable name of the kind of problem; <c>type</c> is <c>https://kpi-dashboard.example/problems/&lt;name&gt;</c>.</summary>
    public string Type { get; }

    /// <summary>Short title of the kind.</summary>
    public string Title { get; }

    /// <summary>Sentences by field, for validation.</summary>
    public IReadOnlyDictionary<string, string[]>? Errors { get; }

    /// <summary>Seconds for <c>Retry-After</c>; null for none.</summary>
    public int? RetryAfterSeconds { get; private init; }

    /// <summary>One field is wrong.</summary>
    public static ApiProblem Invalid(string field, string sentence) => Invalid(new Dictionary<string, string[]> { [field] = [sentence] });

    /// <summary>Several fields are wrong.</summary>
    public static ApiProblem Invalid(IReadOnlyDictionary<string, string[]> errors) => new(
        StatusCodes.Status400BadRequest, "validation", "The request is not valid",
        string.Join(" ", errors.SelectMany(error => error.Value)), errors);

    /// <summary>The body is not what the route takes.</summary>
    public static ApiProblem BadBody(string sentence) => new(StatusCodes.Status400BadRequest, "body", "The body could not be read", sentence);

    /// <summary>The body is too large.</summary>
    public static ApiProblem TooLarge(long limit) => new(
        StatusCodes.Status413PayloadTooLarge, "too-large", "The body is too large", $"The body may have at most {limit / 1024:N0} KB.");

    /// <summary>No usable token.</summary>
    public static ApiProblem Unauthorized(string sentence) => new(StatusCodes.Status401Unauthorized, "unauthorized", "Sign-in needed", sentence);

    /// <summary>The token is fine but may not do this.</summary>
    public static ApiProblem Forbidden(string sentence) => new(StatusCodes.Status403Forbidden, "forbidden", "Not allowed", sentence);

    /// <summary>No such thing in this tenant; another tenant's is answered the same.</summary>
    public static ApiProblem NotFound(string sentence) => new(StatusCodes.Status404NotFound, "not-found", "Not found", sentence);

    /// <summary>It is in a state that does not admit this.</summary>
    public static ApiProblem Conflict(string sentence) => new(StatusCodes.Status409Conflict, "conflict", "Not possible now", sentence);

    /// <summary>Too often; <paramref name="retryAfterSeconds"/> until it may be tried again.</summary>
    public static ApiProblem TooMany(int retryAfterSeconds) => new(
        StatusCodes.Status429TooManyRequests, "too-many-requests", "Too many attempts",
        retryAfterSeconds < 90 ? $"Too many attempts. Try again in {Math.Max(1, retryAfterSeconds)} seconds." : $"Too many attempts. Try again in {(retryAfterSeconds + 59) / 60} minutes.")
    { RetryAfterSeconds = Math.Max(1, retryAfterSeconds) };

    /// <summary>
    /// The sign-in is too long ago for what is asked, or gave too little; the page asks for the password, or for a code where <c>errors</c> names <c>code</c>, and
    /// tries again.
    /// </summary>
    /// <param name="code">A code of the second factor is needed; the password alone would not do.</param>
    public static ApiProblem ConfirmIdentity(bool code) => code
        ? new(
            StatusCodes.Status403Forbidden, "confirm-identity", "Confirm that it is you", "Confirm that it is you with a code of your second factor, and try again.",
            new Dictionary<string, string[]> { ["code"] = ["Enter a code of your authenticator app, or a recovery code."] })
        : new(
            StatusCodes.Status403Forbidden, "confirm-identity", "Confirm that it is you", "Your sign-in is too long ago for this. Confirm that it is you and try again.");

    /// <summary>The business asks for a second factor that this session has not given.</summary>
    /// <param name="isSetUp">The account has one: a code is enough. Else it has to be set up.</param>
    public static ApiProblem SecondFactorRequired(bool isSetUp) => new(
        StatusCodes.Status403Forbidden, "second-factor-required", "Second factor needed",
        isSetUp
            ? "This business asks for a second factor, and this browser has not given a code yet. Enter one in your profile first."
            : "This business asks for a second factor. Set one up in your profile first.");

    /// <summary>
    /// Says which business the sender means, by its id: the page sends it with every call. A session may be switched in another tab of the
    /// same browser, and what one page shows must never be written into what another one chose.
    /// </summary>
    public const string BusinessHeader = "X-Kpi-Tenant";

    /// <summary>The page shows another business than the one that the session (or the token) is in; nothing was done.</summary>
    /// <param name="business">The business that the session is in.</param>
    public static ApiProblem OtherBusiness(string business) => new(
        StatusCodes.Status409Conflict, "other-business", "Meant for another business",
        $"This was meant for another business than {business}, which you are in now. Nothing was done. Go back to that business, or reload the page to go on in {business}.");

    /// <summary>A session would change something and does not say of which business.</summary>
    public static ApiProblem BusinessNotNamed() => new(
        StatusCodes.Status428PreconditionRequired, "business-not-named", "Which business?",
        $"Say for which business this is: send its id in the header '{BusinessHeader}'. Nothing was done.");

    /// <summary>Password (or provider) was right; the code of the second factor is still to come.</summary>
    public static ApiProblem SecondFactorCode() => new(
        StatusCodes.Status401Unauthorized, "second-factor", "Code needed", "Enter the code of your authenticator app.");

    /// <summary>The link alone is not enough: the page asks for the account's password and tries again.</summary>
    public static ApiProblem PasswordNeeded(string sentence) => new(StatusCodes.Status401Unauthorized, "password-needed", "Password needed", sentence);

    /// <summary>Something this needs is not there yet.</summary>
    public static ApiProblem Unavailable(string sentence, int retryAfterSeconds) => new(
        StatusCodes.Status503ServiceUnavailable, "unavailable", "Not ready", sentence)
    { RetryAfterSeconds = retryAfterSeconds };

    /// <summary>A fault of ours: says nothing about the inside but gives the trace id to find it by.</summary>
    public static ApiProblem Fault() => new(
        StatusCodes.Status500InternalServerError, "fault", "Something failed on our side",
        "The request could not be finished because of a fault on our side. Nothing was changed. The trace id finds it in our logs.");

    /// <summary>What a fault is when the database was away or had no connection left, which passes: 503 instead of 500; null for any other.</summary>
    public static ApiProblem? OfOutage(Exception error) => error is Npgsql.NpgsqlException { IsTransient: true }
        ? Unavailable("The database does not answer at the moment. Try again in a few seconds.", 5)
        : null;

    /// <summary>
    /// What a fault is when Postgres, or the way to it, could not hold a text (NUL, half a character) that no door had looked at: the request's fault, 400; null for any
    /// other. The doors name the field; this is the net below them, so that a new one is no 500.
    /// </summary>
    public static ApiProblem? OfText(Exception error) =>
        error is Npgsql.PostgresException { SqlState: "22021" or "22P05" or "22P02" } or System.Text.EncoderFallbackException
            && (error is not Npgsql.PostgresException { SqlState: "22P02" } strict || strict.MessageText.Contains("Unicode", StringComparison.OrdinalIgnoreCase))
            ? BadBody($"The request {KeptText.Why}")
            : null;

    /// <summary>Writes it as the answer.</summary>
    public async Task WriteAsync(HttpResponse response, CancellationToken cancellationToken)
    {
        if (response.HasStarted) return;
        // What a cookie says holds whatever the answer: a sign-in that waits for its code, a refresh token that is no good any more.
        var cookies = response.Headers.SetCookie;
        response.Clear();
        response.Headers.SetCookie = cookies;
        response.StatusCode = Status;
        response.ContentType = "application/problem+json";
        response.Headers.CacheControl = "no-store";
        if (RetryAfterSeconds is { } seconds) response.Headers.RetryAfter = seconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        if (Status == StatusCodes.Status401Unauthorized) response.Headers.WWWAuthenticate = "Bearer";
        var body = new ProblemBody($"https://kpi-dashboard.example/problems/{Type}", Title, Status, Message, Activity.Current?.TraceId.ToHexString() ?? response.HttpContext.TraceIdentifier, Errors);
        await JsonSerializer.SerializeAsync(response.Body, body, ProblemJson.Default.ProblemBody, cancellationToken);
    }
}

/// <summary>RFC 9457 problem details with our two extensions.</summary>
/// <param name="Type">Names the kind of problem; stable.</param>
/// <param name="Title">Short title of the kind.</param>
/// <param name="Status">HTTP status code.</param>
/// <param name="Detail">A sentence for a person.</param>
/// <param name="TraceId">Finds the request in the logs.</param>
/// <param name="Errors">Sentences by field, for validation.</param>
internal sealed record ProblemBody(string Type, string Title, int Status, string Detail, string TraceId, IReadOnlyDictionary<string, string[]>? Errors);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(ProblemBody))]
internal sealed partial class ProblemJson : JsonSerializerContext;
