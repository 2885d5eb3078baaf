using System.Runtime.CompilerServices;
using KpiDashboard.Access;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace KpiDashboard.Tests.Api;

/// <summary>The tag that decides whether a reader is told "unchanged".</summary>
public sealed class TenantReadsTests
{
    private static readonly TenantProfile Tenant = new(Guid.NewGuid(), "Shop", "Europe/Berlin", "EUR", "de-DE", 1, null, null, 42, false, 1);
    private static readonly Caller Owner = new(Tenant.Id, Guid.NewGuid(), Guid.NewGuid(), null, "owner", "a@b.example");

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 11, 21, 12, 1, 0, TimeSpan.Zero));

    private string Tag(string path = "/api/metrics/summary", string query = "?range=last_7_days", Caller? caller = null, TenantProfile? tenant = null) =>
        Tag(new TenantReads(null!, null!, null!, _time), new DefaultHttpContext { Request = { Path = path, QueryString = new QueryString(query) } }.Request, (caller ?? Owner).Role, tenant ?? Tenant);

    [Fact]
    public void The_same_question_about_the_same_data_has_the_same_tag()
    {
        Assert.Equal(Tag(), Tag());
        Assert.Equal(Tag(), Tag(caller: Owner with { UserId = Guid.NewGuid() }));
        Assert.Matches("^\"[0-9a-f]{32}\"$", Tag());
    }

    [Fact]
    public void Another_tenant_role_path_query_or_version_has_another_tag()
    {
        string[] tags =
        [
            Tag(),
            Tag(tenant: Tenant with { Id = Guid.NewGuid() }),
            Tag(caller: Owner with { Role = "viewer" }),
            Tag(path: "/api/metrics/history"),
            Tag(query: "?range=last_28_days"),
            Tag(query: ""),
            Tag(tenant: Tenant with { DataVersion = 43 }),
        ];
        Assert.Equal(tags.Length, tags.Distinct().Count());
    }

    [Fact]
    public void A_tag_holds_for_a_quarter_of_an_hour_because_some_answers_speak_of_time()
    {
        var tag = Tag();
        _time.Advance(TimeSpan.FromMinutes(13));
        Assert.Equal(tag, Tag());
        _time.Advance(TimeSpan.FromMinutes(1));
        Assert.NotEqual(tag, Tag());
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "Tag")]
    private static extern string Tag(TenantReads of, HttpRequest request, string reader, TenantProfile tenant);
}
