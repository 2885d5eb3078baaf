using System.Globalization;
using System.Text.Json;
using KpiDashboard.Connectors;
using KpiDashboard.Connectors.N8n;
using KpiDashboard.Security;
using Xunit;

namespace KpiDashboard.Tests.Webhooks;

public sealed class N8nEventsTests
{
    [Theory]
    [InlineData("""{"workflowId":"w1","workflowName":"Orders","executionId":"17","status":"success","startedAt":"2026-11-20T10:00:00Z","completedAt":"2026-11-20T10:00:05Z","executionTime":5000}""")]
    [InlineData("""{"WorkflowId":"w1","WorkflowName":"Orders","ExecutionID":17,"Status":"Success","startTime":"2026-11-20T11:00:00+01:00","endTime":"2026-11-20T10:00:05Z","Duration":"5000"}""")]
    [InlineData("""{"workflowId":"w1","workflowName":"Orders","executionId":17,"eventType":"n8n.workflow.success","duration":5000,"Timestamp":"2026-11-20T10:00:05.000Z","secret":{"x":1}}""")]
    [InlineData("""{"workflowId":"w1","workflowName":"Orders","executionId":17,"status":"succeeded","startTime":1795168800000,"duration":5000}""")]
    public void Both_shapes_say_the_same(string json)
    {
        var (item, reason) = Read(json);
        Assert.Null(reason);
        Assert.Equal(
            ("17", "w1", "Orders", ExecutionStatus.Succeeded, At("2026-11-20T10:00:00Z"), At("2026-11-20T10:00:05Z")),
            (item!.ExecutionId, item.WorkflowId, item.WorkflowName!, item.Status, item.StartedAt!.Value, item.StoppedAt!.Value));
    }

    [Theory]
    [InlineData("success", "Succeeded")]
    [InlineData("failed", "Failed")]
    [InlineData("error", "Failed")]
    [InlineData("crashed", "Failed")]
    [InlineData("canceled", "Canceled")]
    [InlineData("cancelled", "Canceled")]
    [InlineData("running", "Unfinished")]
    [InlineData("waiting", "Unfinished")]
    [InlineData("n8n.workflow.started", "Unfinished")]
    public void Every_word_for_a_state_is_known(string word, string status) =>
        Assert.Equal(status, Read($$"""{"workflowId":1,"executionId":1,"status":"{{word}}","startedAt":"2026-11-20T10:00:00Z"}""").Event!.Status.ToString());

    [Theory]
    [InlineData("5", "JSON object")]
    [InlineData("null", "JSON object")]
    [InlineData("{}", "'executionId'")]
    [InlineData("""{"executionId":1.5,"workflowId":1}""", "'executionId'")]
    [InlineData("""{"executionId":1}""", "'workflowId'")]
    [InlineData("""{"executionId":1,"workflowId":1}""", "'status'")]
    [InlineData("""{"executionId":1,"workflowId":1,"status":"fine"}""", "'status' must be")]
    [InlineData("""{"executionId":1,"workflowId":1,"status":"success","startedAt":"yesterday"}""", "'startedAt'")]
    [InlineData("""{"executionId":1,"workflowId":1,"status":"success","executionTime":-1}""", "'executionTime'")]
    [InlineData("""{"executionId":1,"workflowId":1,"status":"success","executionTime":1e300}""", "'executionTime'")]
    public void A_bad_event_is_refused_with_the_field_that_is_wrong(string json, string words)
    {
        var (item, reason) = Read(json);
        Assert.Null(item);
        Assert.Contains(words, reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("11/12/2026 08:00")]
    [InlineData("12:30")]
    [InlineData("2026-11-20")]
    [InlineData("20 Nov 2026 10:00")]
    [InlineData("2026-11-20T10")]
    [InlineData("2026-11-20T25:00:00Z")]
    [InlineData("2026-02-29T10:00:00Z")]
    [InlineData("2026-11-20T10:00:00 GMT")]
    [InlineData("2026-11-20T10:00:00+99:00")]
    [InlineData("2026-11-20T10:00:00Z\\u0000")]
    [InlineData("Fri, 20 Nov 2026 10:00:00 GMT")]
    public void What_only_a_lenient_reader_takes_for_an_instant_is_refused(string text) =>
        Assert.Contains("'startedAt'", Read($$"""{"executionId":1,"workflowId":1,"status":"success","startedAt":"{{text}}"}""").Reason, StringComparison.Ordinal);

    [Theory]
    [InlineData("2026-11-20T10:00:00Z")]
    [InlineData("2026-11-20t10:00:00z")]
    [InlineData("2026-11-20 10:00:00")]
    [InlineData("2026-11-20T10:00")]
    [InlineData("2026-11-20T10:00:00.000000000Z")]
    [InlineData("2026-11-20T11:00:00+01:00")]
    [InlineData("2026-11-20T11:00:00+0100")]
    [InlineData("2026-11-20T11:00:00+01")]
    [InlineData("2026-11-20T04:30:00.000-05:30")]
    public void An_instant_is_read_in_each_form_of_ISO_8601(string text) => Assert.Equal(At("2026-11-20T10:00:00Z"), N8nValues.Instant(text));

    [Theory]
    [InlineData("1,5", null)]
    [InlineData("1.5", "1.5")]
    [InlineData("(5)", null)]
    [InlineData("5", "5")]
    public void Minutes_in_text_are_a_plain_number(string text, string? expected) => Assert.Equal(
        expected is null ? null : decimal.Parse(expected, CultureInfo.InvariantCulture),
        N8nValues.TimeSavedMinutes(JsonDocument.Parse($$"""{"timeSavedPerExecution":"{{text}}"}""").RootElement));

    [Theory]
    [InlineData("connect ECONNREFUSED 10.0.0.5:5432", "connect ECONNREFUSED 10.0.0.5:5432")]
    [InlineData("Request failed with status code 404", "Request failed with status code 404")]
    [InlineData("401 - {\"Authorization\":\"Bearer abc.def.ghi-123456\"}", "abc.def")]
    [InlineData("GET https://api.example.com/v1?api_key=Sup3rS3cret&x=1 failed", "Sup3rS3cret")]
    [InlineData("postgres://kpi:hunter2@db.example.com/app refused", "hunter2")]
    [InlineData("password: hunter2", "hunter2")]
    [InlineData("{\"client_secret\": \"hunter2\"}", "hunter2")]
    [InlineData("{\\\"refreshToken\\\":\\\"hunter2\\\"}", "hunter2")]
    [InlineData("X-N8N-API-KEY: n8n_api_0123456789abcdef", "0123456789")]
    [InlineData("invalid key sk_live_4eC39HqLyjWDarjtT1zdp7dc", "4eC39")]
    [InlineData("invalid key sk-proj-4eC39HqLyjWDarjtT1zdp7dc", "4eC39")]
    [InlineData("bad token ghp_0123456789abcdefghijABCDEFGHIJ012345", "ghp_0123")]
    [InlineData("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl expired", "eyJhbGci")]
    [InlineData("key AIzaSyA0123456789abcdefghijklmnopqrstuv", "AIza")]
    [InlineData("AKIAIOSFODNN7EXAMPLE is not authorized", "AKIAIOSF")]
    [InlineData("value 3f786850e387550fdab836ed7e6dc881de23001b refused", "3f786850")]
    [InlineData("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n-----END PRIVATE KEY-----", "MIIEvQ")]
    [InlineData("Pwd=hunter2;Server=db", "hunter2")]
    public void Whatever_looks_like_a_secret_is_masked_and_the_rest_stays(string message, string absent)
    {
        var clean = SecretMask.Clean(message, 500);
        if (message == absent) Assert.Equal(message, clean);
        else
        {
            Assert.DoesNotContain(absent, clean, StringComparison.Ordinal);
            Assert.Contains("•••", clean, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_message_is_masked_before_it_is_cut()
    {
        var clean = SecretMask.Clean(new string('x', 480) + " token=abcdefghijklmnopqrstuvwxyz0123456789", 500);
        Assert.True(clean.Length <= 500);
        Assert.DoesNotContain("abcdef", clean, StringComparison.Ordinal);
        Assert.Equal("a b", SecretMask.Clean("a\nb\0", 500));
    }

    [Theory]
    [InlineData("startedAt", "9999-12-31T23:59:59Z", "future")]
    [InlineData("startedAt", "1970-01-01T00:00:00Z", "days ago")]
    [InlineData("startedAt", "0001-01-01T00:00:00Z", "days ago")]
    [InlineData("completedAt", "9999-12-31T23:59:59Z", "future")]
    [InlineData("completedAt", "2027-11-20T10:00:00Z", "future")]
    [InlineData("completedAt", "1970-01-01T00:00:00Z", "days ago")]
    [InlineData("endTime", "9999-12-31T00:00:00Z", "future")]
    [InlineData("timestamp", "9999-12-31T00:00:00Z", "future")]
    [InlineData("timestamp", "1970-01-01T00:00:01Z", "days ago")]
    public void Every_instant_of_an_event_is_checked_at_both_ends(string field, string instant, string said)
    {
        foreach (var status in new[] { "success", "failed", "canceled", "running" })
        {
            var start = field == "startedAt" ? "" : ""","startedAt":"2026-11-20T10:00:00Z" """;
            var (item, reason) = Read($$"""{"workflowId":"w","executionId":1,"status":"{{status}}"{{start}},"{{field}}":"{{instant}}"}""");
            Assert.Null(item);
            Assert.Contains(said, reason!, StringComparison.Ordinal);
            Assert.Contains(field == "endTime" ? "'completedAt'" : $"'{field}'", reason!, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(""","startedAt":"2026-11-20T10:00:00Z","executionTime":31536000000""")]
    [InlineData(""","completedAt":"2026-11-20T10:00:00Z","executionTime":31536000000""")]
    public void A_duration_takes_no_run_out_of_the_time_that_is_kept(string more)
    {
        var (item, reason) = Read($$"""{"workflowId":"w","executionId":1,"status":"success"{{more}}}""");
        Assert.Null(item);
        Assert.Contains("'executionTime'", reason!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"WorkflowID":"w","ExecutionID":1,"Status":"success","Timestamp":"2026-11-20T10:00:05Z"}""")]
    [InlineData("""{"workflowId":"w","executionId":1,"status":"failed","completedAt":"2026-11-20T10:00:05Z"}""")]
    public void Of_an_end_alone_the_day_is_known_and_the_duration_is_not(string json)
    {
        var (item, reason) = Read(json);
        Assert.Null(reason);
        Assert.Equal((null, At("2026-11-20T10:00:05Z"), null), (item!.StartedAt, item.StoppedAt!.Value, item.Duration));
    }

    [Theory]
    [InlineData("""{"executionId":17,"workflowId":"w1"}""", "17", "w1")]
    [InlineData("""{"ExecutionID":"a","workflow_id":3}""", "a", "3")]
    [InlineData("""{"executionId":{"a":1},"workflowId":1.5}""", null, null)]
    [InlineData("""{"executionId":"\ufffd","workflowId":""}""", null, null)]
    [InlineData("5", null, null)]
    public void Of_an_event_that_was_not_taken_the_ids_are_known_as_far_as_they_can_be_kept(string json, string? execution, string? workflow)
    {
        using var document = JsonDocument.Parse(json);
        Assert.Equal((execution, workflow), N8nEvents.Ids(document.RootElement));
    }

    [Theory]
    [InlineData("test", "Manual")]
    [InlineData("manual", "Manual")]
    [InlineData("production", "Production")]
    [InlineData("integrated", "SubWorkflow")]
    [InlineData("error", "ErrorHandler")]
    public void What_a_workflow_calls_its_mode_is_understood(string mode, string kind)
    {
        Assert.Equal(kind, Read($$"""{"workflowId":1,"executionId":1,"status":"success","mode":"{{mode}}","completedAt":"2026-11-20T10:00:00Z"}""").Event!.Kind.ToString());
        Assert.Equal(
            kind, Read($$$"""{"workflowId":1,"executionId":1,"status":"success","metadata":{"mode":"{{{mode}}}"},"completedAt":"2026-11-20T10:00:00Z"}""").Event!.Kind.ToString());
    }

    private static readonly DateTimeOffset Earliest = At("2026-09-30T00:00:00Z"), Latest = At("2026-11-29T00:00:00Z");

    private static (N8nEvent? Event, string? Reason) Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return N8nEvents.Read(document.RootElement, Earliest, Latest);
    }

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
