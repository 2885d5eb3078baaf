using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using KpiDashboard.Access;
using KpiDashboard.Api;
using KpiDashboard.Auditing;
using KpiDashboard.Automation;
using KpiDashboard.Data;
using KpiDashboard.Identity;
using KpiDashboard.Insights;
using KpiDashboard.Kpis;
using KpiDashboard.Mail;
using KpiDashboard.Members;
using KpiDashboard.Security;
using KpiDashboard.Sources;
using KpiDashboard.Tenancy;
using Microsoft.AspNetCore.Http;

namespace KpiDashboard.Businesses;

/// <summary>A person's businesses, and the settings of one.</summary>
public sealed class TenantEndpoints
{
    /// <summary>Changing settings locks what a sync step locks too; Postgres ends one of two that wait for each other, and it is tried again so often.</summary>
    private const int Tries = 3;

    /// <summary>KPIs on top of an overview.</summary>
    private const int MostHeadline = 6;

    /// <summary>Days that the list of businesses tells of.</summary>
    private const int ListedDays = 7;

    /// <summary>
    /// Of how many businesses that changed since the timer last came the list works out the score itself: with so few, a list is always as
    /// the overview says.
    /// </summary>
    private const int ScoredAtOnce = 12;

    private static readonly string[] ScoreKpis = [.. HealthScore.Needs.SelectMany(kpi => kpi.Parts).Distinct(StringComparer.Ordinal)];

    private static readonly KpiDefinition Revenue = KpiCatalogue.Part("shop.revenue");

    private static readonly KpiDefinition TimeSaved = KpiCatalogue.Part("automation.time_saved");

    private static readonly string[] ListedKpis = [.. Revenue.Parts.Concat(TimeSaved.Parts).Distinct(StringComparer.Ordinal)];

    private readonly RolesResponse _roles = new(
        [.. Permissions.All.Select(permission => new PermissionEntry(Permissions.Word(permission.Key), permission.Value))],
        [.. Permissions.Roles.Select(role => new RoleEntry(role, [.. Permissions.Of(role).Select(Permissions.Word)]))]);

    private readonly Database _database;
    private readonly TenantReads _reads;
    private readonly AuditLog _audit;
    private readonly MailOutbox _mail;
    private readonly RateLimits _limits;
    private readonly Sessions _sessions;
    private readonly Accounts _accounts;
    private readonly TimeZoneNames _zones;
    private readonly TimeProvider _time;

    internal TenantEndpoints(
        Database database, TenantReads reads, AuditLog audit, MailOutbox mail, RateLimits limits, Sessions sessions, Accounts accounts, TimeZoneNames zones,
        TimeProvider time) =>
        (_database, _reads, _audit, _mail, _limits, _sessions, _accounts, _zones, _time) = (database, reads, audit, mail, limits, sessions, accounts, zones, time);

    /// <summary><c>GET tenants</c>: four queries at most, however many there are.</summary>
    public async Task<IResult> ListAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        var rows = await _database.QueryAsync<SourceRow>(
            "select * from list_sources_judged(@user, @now, @connectors, @pulses)",
            new { user = request.Caller().Person, now, connectors = SourceState.PulseConnectors, pulses = SourceState.PulseKeys },
                cancellationToken);
        var businesses = rows.GroupBy(row => row.tenant_id).Select(group => new BusinessRows([.. group], now)).ToList();
        var numbers = await NumbersAsync(request.Caller().Person, businesses, cancellationToken);
        var kept = await KeptAsync(request.Caller().Person, businesses, cancellationToken);
        var scores = await ScoresAsync(request.Caller().Person, businesses, kept, cancellationToken);
        var tenants = businesses
            .Select(business => Entry(
                business, numbers.GetValueOrDefault(business.First.tenant_id), scores.GetValueOrDefault(business.First.tenant_id),
                kept.GetValueOrDefault(business.First.tenant_id)))
            .OrderBy(tenant => tenant.Health switch
            {
                TenantHealth.Trouble => 0,
                TenantHealth.Attention => 1,
                TenantHealth.Empty => 2,
                TenantHealth.Ok => 3,
                _ => throw new ArgumentOutOfRangeException(nameof(request), tenant.Health, null),
            })
            .ThenBy(tenant => tenant.Name, StringComparer.OrdinalIgnoreCase);
        return TenantReads.Answer(request, new TenantsResponse([.. tenants]), TenantJson.Default.TenantsResponse);
    }

    /// <summary><c>POST tenants</c>: the session goes on in the new business.</summary>
    public async Task<IResult> CreateAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var body = (await JsonBody.ReadAsync(request, TenantJson.Default.CreateTenantRequest, cancellationToken))!;
        var business = new NewBusiness(body.BusinessName, body.TimeZone, body.Currency);
        var errors = new Dictionary<string, string[]>();
        await _accounts.CheckAsync(errors, business, cancellationToken);
        if (errors.Count > 0) throw ApiProblem.Invalid(errors);
        await _limits.TakeAsync(Bucket.RegisterAddress, $"person:{caller.Person:N}", cancellationToken);
        var tenant = await _accounts.CreateBusinessAsync(request, business, caller.Person, caller.Name, null, cancellationToken);
        return Sessions.Answer(
            request, await _sessions.MoveAsync(request, caller.Person, tenant, caller.SessionId!.Value, cancellationToken), StatusCodes.Status201Created);
    }

    /// <summary><c>GET tenant</c>.</summary>
    public Task<IResult> SettingsAsync(HttpRequest request, CancellationToken cancellationToken) =>
        _reads.AnswerAsync(request, TenantJson.Default.TenantSettings, async (tx, _) => (await LoadAsync(tx, lockIt: false))!, cancellationToken);

    /// <summary>
    /// <c>PUT tenant</c>. Another time zone moves the days of what is counted by the business's own days (automations) at once; days of a provider that has a zone
    /// of its own stay. Another currency converts nothing: it renames the business's own costs and what is worked out from them, and money that a provider
    /// told of stays in the provider's currency. Week start, locale and fiscal year only change how numbers are grouped and written.
    /// </summary>
    public async Task<IResult> UpdateSettingsAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = (await JsonBody.ReadAsync(request, TenantJson.Default.TenantSettings, cancellationToken))!;
        var errors = new Dictionary<string, string[]>();
        await CheckAsync(errors, body, _zones, cancellationToken);
        if (errors.Count > 0) throw ApiProblem.Invalid(errors);
        var wanted = body with { Name = body.Name.Trim() };
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return new JsonAnswer<UpdateTenantResponse>(
                    await _database.InTenantAsync(request.Caller().TenantId, tx => UpdateAsync(tx, request, wanted), cancellationToken), TenantJson.Default.UpdateTenantResponse);
            }
            catch (Npgsql.PostgresException error) when (error.SqlState == Npgsql.PostgresErrorCodes.DeadlockDetected && attempt < Tries)
            {
                // Nothing was written: the whole transaction is done again.
            }
        }
    }

    /// <summary><c>POST tenant/transfer-ownership</c>.</summary>
    public async Task<IResult> TransferOwnershipAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        var body = (await JsonBody.ReadAsync(request, TenantJson.Default.MemberRequest, cancellationToken))!;
        var mail = await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            var (own, members) = await Membership.LockAsync(tx, caller, Permission.ManageTenant);
            var target = members.FirstOrDefault(member => member.Id == body.UserId) ?? throw ApiProblem.NotFound("There is no such member.");
            if (target.Id == own.Id) throw ApiProblem.Conflict("You own this business already. Name another member.");
            if (target is not { Active: true, Disabled: false }) throw ApiProblem.Conflict($"{target.DisplayName} is deactivated. Reactivate the member first.");
            Membership.ThrowUnlessProved(target);
            await tx.ExecuteAsync(
                """
                update memberships set role = case user_id when @target then 'owner' else 'admin' end
                where tenant_id = @tenant and user_id in (@target, @own)
                """,
                new { target = target.Id, own = own.Id });
            await _audit.WriteAsync(tx, request, new AuditEvent(
                AuditActions.OwnershipTransferred, "person", target.Id.ToString(), target.Email,
                new JsonObject { ["owner"] = own.Email, ["role"] = target.Role }, new JsonObject { ["owner"] = target.Email, ["role"] = "owner" }));
            await Membership.RevokeInvitationsOfAsync(tx, _audit, request, own.Id, "admin", _time.GetUtcNow());
            await TenantProfile.BumpVersionAsync(tx);
            var business = await tx.QuerySingleAsync<string>("select name from tenants where id = @tenant");
            return await _mail.AddAsync(tx, OwnershipTransferredMail.Kind, JsonSerializer.Serialize(
                new OwnershipTransferredMailData(target.Email, target.DisplayName, business, own.DisplayName), TenancyMailJson.Default.OwnershipTransferredMailData));
        }, cancellationToken);
        await _mail.DispatchAsync(mail, cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary><c>POST tenant/leave</c>: the session goes on in another business with its next refresh.</summary>
    public async Task<IResult> LeaveAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var caller = request.Caller();
        await _database.InTenantAsync(caller.TenantId, async tx =>
        {
            // Two businesses left at once would leave none.
            await tx.ExecuteAsync("select pg_advisory_xact_lock(hashtextextended('leave ' || @user::text, 0))", new { user = caller.Person });
            var (own, members) = await Membership.LockAsync(tx, caller, Permission.SignedIn);
            Membership.ThrowIfLastOwner(own, members);
            if (await tx.QuerySingleAsync<int>("select count(*)::int from list_memberships(@user)", new { user = own.Id }) <= 1)
                throw ApiProblem.Conflict("This is your only business. Delete your account in your profile instead.");
            await tx.ExecuteAsync("delete from memberships where tenant_id = @tenant and user_id = @user", new { user = own.Id });
            await _audit.WriteAsync(tx, request, new AuditEvent(
                AuditActions.MemberLeft, "person", own.Id.ToString(), own.Email, Before: new JsonObject { ["role"] = own.Role }));
            await Membership.RevokeInvitationsOfAsync(tx, _audit, request, own.Id, null, _time.GetUtcNow());
            await TenantProfile.BumpVersionAsync(tx);
        }, cancellationToken);
        return TypedResults.NoContent();
    }

    /// <summary><c>GET roles</c>: the same for everybody.</summary>
    public Task<IResult> RolesAsync(HttpRequest request, CancellationToken cancellationToken) =>
        Task.FromResult(TenantReads.Answer(request, _roles, TenantJson.Default.RolesResponse));

    /// <summary>Adds a sentence for each setting that is wrong.</summary>
    internal static async Task CheckAsync(IDictionary<string, string[]> errors, TenantSettings settings, TimeZoneNames zones, CancellationToken cancellationToken)
    {
        TenantRules.Name(errors, "name", settings.Name);
        await zones.CheckAsync(errors, "timeZone", settings.TimeZone, cancellationToken);
        TenantRules.Currency(errors, "currency", settings.Currency);
        TenantRules.Locale(errors, "locale", settings.Locale);
        TenantRules.WeekStart(errors, "weekStart", settings.WeekStart);
        TenantRules.Month(errors, "fiscalYearStartMonth", settings.FiscalYearStartMonth);
        TenantRules.Amount(errors, "hourlyLabourCost", settings.HourlyLabourCost);
        TenantRules.Amount(errors, "automationCostPerMonth", settings.AutomationCostPerMonth);
    }

    private async Task<UpdateTenantResponse> UpdateAsync(TenantTransaction tx, HttpRequest request, TenantSettings wanted)
    {
        var caller = request.Caller();
        await ZoneMove.LockAsync(tx);
        var current = await LoadAsync(tx, lockIt: true) ?? throw ApiProblem.NotFound("This business no longer exists.");
        // Who says nothing of them, as a page from before does, leaves them as they are.
        wanted = wanted with { Headline = wanted.Headline ?? current.Headline };
        if (Joined(wanted.Headline) != Joined(current.Headline)) await CheckHeadlineAsync(tx, wanted.Headline!);
        var (before, after) = Difference(current, wanted);
        if (before.Count == 0) return new UpdateTenantResponse(current, []);
        if (wanted.RequireSecondFactor && !current.RequireSecondFactor
            && await tx.QuerySingleAsync<DateTimeOffset?>("select factor_proved_at(@session, @user)", new { session = caller.SessionId, user = caller.Person }) is null)
        {
            throw await tx.QuerySingleAsync<bool>("select second_factor from describe_user(@user)", new { user = caller.Person })
                ? ApiProblem.ConfirmIdentity(code: true)
                : ApiProblem.Conflict("Set up a second factor for yourself first; else this would lock you out.");
        }

        if (current.RequireSecondFactor && !wanted.RequireSecondFactor) request.Demand(Power.WaiveSecondFactor);

        var now = _time.GetUtcNow();
        var old = await NumbersAsync(tx, now);
        await tx.ExecuteAsync(
            """
            update tenants
            set name = @Name, time_zone = @TimeZone, currency = @Currency, locale = @Locale, week_start = @WeekStart, fiscal_year_start_month = @FiscalYearStartMonth,
                hourly_labour_cost = @HourlyLabourCost, automation_cost_per_month = @AutomationCostPerMonth, require_second_factor = @RequireSecondFactor,
                headline = @headline, data_version = data_version + 1
            where id = @tenant
            """,
            new
            {
                wanted.Name,
                wanted.TimeZone,
                wanted.Currency,
                wanted.Locale,
                wanted.WeekStart,
                wanted.FiscalYearStartMonth,
                wanted.HourlyLabourCost,
                wanted.AutomationCostPerMonth,
                wanted.RequireSecondFactor,
                headline = Joined(wanted.Headline),
            });
        if (wanted.TimeZone != current.TimeZone) await ZoneMove.ApplyAsync(tx, current.TimeZone, wanted.TimeZone, now);
        await _audit.WriteAsync(tx, request, new AuditEvent(AuditActions.SettingsChanged, "tenant", tx.TenantId.ToString(), wanted.Name, before, after));
        return new UpdateTenantResponse(wanted, Effects(old, await NumbersAsync(tx, now)));
    }

    /// <summary>
    /// What settings move, over the days that the pages tell of: not a day more because automations are known a day sooner than others.
    /// With a
    /// week to spare before its 28 days: both sides are compared over the same dates, whichever clock stands earlier.
    /// </summary>
    private async Task<(KpiTable Table, DateOnly To)> NumbersAsync(TenantTransaction tx, DateTimeOffset now)
    {
        var tenant = (await TenantProfile.LoadAsync(tx))!;
        var all = await SourceState.LoadAsync(tx, tenant, now);
        var sources = all.Where(source => KpiCatalogue.Reports(source.Connector, KpiTopic.Automations)).ToList();
        var to = Period.Anchor(tenant.Today(_time), SourceState.PeriodThrough(all));
        return (await KpiTable.LoadAsync(tx, AutomationEndpoints.Kpis, to.AddDays(-40), to, SourceState.Clocks(sources), tenant.Economics), to);
    }

    private static List<SettingsEffect> Effects((KpiTable Table, DateOnly To) before, (KpiTable Table, DateOnly To) after)
    {
        var to = before.To < after.To ? before.To : after.To;
        return [.. AutomationEndpoints.Kpis.Where(kpi => !kpi.Hidden)
            .Select(kpi => new SettingsEffect(
                kpi.Key, kpi.Name, JsonNamingPolicy.SnakeCaseLower.ConvertName(kpi.Unit.ToString()),
                before.Table.Evaluate(kpi, to.AddDays(-27), to).Value, after.Table.Evaluate(kpi, to.AddDays(-27), to).Value))
            .Where(effect => effect.Before != effect.After)];
    }

    private static (JsonObject Before, JsonObject After) Difference(TenantSettings current, TenantSettings wanted)
    {
        var (before, after) = (new JsonObject(), new JsonObject());
        void Compare<T>(string field, T old, T value)
        {
            if (EqualityComparer<T>.Default.Equals(old, value)) return;
            (before[field], after[field]) = (JsonValue.Create(old), JsonValue.Create(value));
        }

        Compare("name", current.Name, wanted.Name);
        Compare("timeZone", current.TimeZone, wanted.TimeZone);
        Compare("currency", current.Currency, wanted.Currency);
        Compare("locale", current.Locale, wanted.Locale);
        Compare("weekStart", current.WeekStart, wanted.WeekStart);
        Compare("fiscalYearStartMonth", current.FiscalYearStartMonth, wanted.FiscalYearStartMonth);
        Compare("hourlyLabourCost", current.HourlyLabourCost, wanted.HourlyLabourCost);
        Compare("automationCostPerMonth", current.AutomationCostPerMonth, wanted.AutomationCostPerMonth);
        Compare("requireSecondFactor", current.RequireSecondFactor, wanted.RequireSecondFactor);
        Compare("headline", Joined(current.Headline), Joined(wanted.Headline));
        return (before, after);
    }

    private static string? Joined(IReadOnlyList<string>? keys) => keys is null or [] ? null : string.Join(',', keys);

    private static async Task CheckHeadlineAsync(TenantTransaction tx, IReadOnlyList<string> keys)
    {
        if (keys.Count > MostHeadline || keys.Distinct(StringComparer.Ordinal).Count() != keys.Count)
            throw ApiProblem.Invalid("headline", $"'headline' must name at most {MostHeadline} different KPIs.");
        var catalogue = await TenantCatalogue.LoadAsync(tx);
        if (keys.FirstOrDefault(key => catalogue.Find(key) is null) is { } unknown)
            throw ApiProblem.Invalid("headline",
                $"There is no KPI '{(unknown.Length <= 40 ? unknown : unknown[..40] + "…")}'; GET /api/kpis lists them.");
    }

    private static async Task<TenantSettings?> LoadAsync(TenantTransaction tx, bool lockIt)
    {
        if (await tx.QuerySingleOrDefaultAsync<SettingsRow>(SettingsSql + (lockIt ? " for update" : "")) is not { } row) return null;
        return new TenantSettings(
            row.Name, row.TimeZone, row.Currency, row.Locale, row.WeekStart, row.FiscalYearStartMonth, row.HourlyLabourCost,
                row.AutomationCostPerMonth,
            row.RequireSecondFactor, row.Headline?.Split(',') ?? []);
    }

    private sealed record SettingsRow(
        string Name, string TimeZone, string Currency, string Locale, int WeekStart, int FiscalYearStartMonth, decimal? HourlyLabourCost,
        decimal? AutomationCostPerMonth, bool RequireSecondFactor, string? Headline);

    private const string SettingsSql =
        """
        select name, safe_zone(time_zone) as TimeZone, currency, locale, week_start::int as WeekStart, fiscal_year_start_month::int as FiscalYearStartMonth,
               hourly_labour_cost as HourlyLabourCost, automation_cost_per_month as AutomationCostPerMonth,
               require_second_factor as RequireSecondFactor, headline
        from tenants where id = @tenant
        """;

    /// <summary>
    /// What the list tells of each business's last week, in one query: revenue and time saved, each compared with the week before.
    /// </summary>
    private async Task<Dictionary<Guid, TenantNumbers>> NumbersAsync(Guid person, IReadOnlyList<BusinessRows> businesses,
        CancellationToken cancellationToken)
    {
        var asked = businesses.Where(business => business.Sources.Count > 0).ToList();
        if (asked.Count == 0) return [];
        var values = await _database.QueryAsync<ValueRow>(
            "select tenant_id as Tenant, source, kpi, day, value from list_values_of(@person, @tenants, @from, @to, @kpis)",
            new
            {
                person,
                tenants = asked.Select(business => business.First.tenant_id).ToArray(),
                from = asked.Select(business => business.To.AddDays(1 - (2 * ListedDays))).ToArray(),
                to = asked.Select(business => business.To).ToArray(),
                kpis = ListedKpis,
            },
            cancellationToken);
        var byTenant = values.ToLookup(row => row.Tenant);
        return asked.ToDictionary(
            business => business.First.tenant_id,
            business => Numbers(business, byTenant[business.First.tenant_id].Select(row => (row.Source, row.Kpi, row.Day, row.Value))));
    }

    /// <summary>
    /// Their scores as they are kept; of those that changed since, the first few are worked out here, those first of which none is kept.
    /// </summary>
    private async Task<Dictionary<Guid, TenantScore>> ScoresAsync(
        Guid person, IReadOnlyList<BusinessRows> businesses, Dictionary<Guid, ScoreRow> kept, CancellationToken cancellationToken)
    {
        var asked = businesses.Where(business => business.Sources.Count > 0).ToList();
        if (asked.Count == 0) return [];
        bool Holds(BusinessRows business) => kept.GetValueOrDefault(business.First.tenant_id) is { Current: true } row
            && row.Day == business.To;
        var scores = asked.Where(business => kept.ContainsKey(business.First.tenant_id)).ToDictionary(
            business => business.First.tenant_id,
            business =>
            {
                var row = kept[business.First.tenant_id];
                return TenantScore.Of(row.Score, row.Day, Holds(business) ? null : row.At);
            });
        var now = asked.Where(business => !Holds(business))
            .OrderBy(business => kept.GetValueOrDefault(business.First.tenant_id)?.At ?? DateTimeOffset.MinValue)
            .Take(ScoredAtOnce).ToList();
        if (now.Count == 0) return scores;
        var values = (await _database.QueryAsync<ValueRow>(
            "select tenant_id as Tenant, source, kpi, day, value from list_values_of(@person, @tenants, @from, @to, @kpis)",
            new
            {
                person,
                tenants = now.Select(business => business.First.tenant_id).ToArray(),
                from = now.Select(business => business.To.AddDays(-HealthScore.Reach)).ToArray(),
                to = now.Select(business => business.To).ToArray(),
                kpis = ScoreKpis,
            },
            cancellationToken)).ToLookup(row => row.Tenant);
        foreach (var business in now)
        {
            var table = new KpiTable(
                business.To.AddDays(-HealthScore.Reach), business.To,
                values[business.First.tenant_id].Select(row => (row.Source, row.Kpi, row.Day, row.Value)), SourceState.Clocks(business.Sources), Economics(business.First));
            decimal? score = HealthScore.Daily(table, business.To, business.To).Select(found => (decimal?)found.Score).FirstOrDefault();
            scores[business.First.tenant_id] = TenantScore.Of((int?)score, business.To, null);
        }

        return scores;
    }

    /// <summary>What the timer has worked out of them and kept.</summary>
    private async Task<Dictionary<Guid, ScoreRow>> KeptAsync(Guid person, IReadOnlyList<BusinessRows> businesses, CancellationToken cancellationToken) =>
        businesses.All(business => business.Sources.Count == 0) ? [] : (await _database.QueryAsync<ScoreRow>(
            """
            select tenant_id as Tenant, score, day, at, current, failing, failing_name as FailingName, failing_since as FailingSince
            from list_scores_of(@person)
            """,
            new { person }, cancellationToken)).ToDictionary(row => row.Tenant);

    private static TenantEconomics Economics(SourceRow row) => new(row.hourly_labour_cost, row.automation_cost_per_month, row.tenant_currency);

    private static TenantNumbers Numbers(BusinessRows business, IEnumerable<(short Source, string Kpi, DateOnly Day, decimal Value)> values)
    {
        var (first, to) = (business.First, business.To);
        var from = to.AddDays(1 - ListedDays);
        var table = new KpiTable(
            from.AddDays(-ListedDays), to, values, SourceState.Clocks(business.Sources), Economics(first));
        Comparison Of(KpiDefinition kpi) => Comparison.Of(
            kpi, new TableDays(table, from, to), new TableDays(table, from.AddDays(-ListedDays), from.AddDays(-1)));

        var (revenue, saved) = (Of(Revenue), Of(TimeSaved));
        var told = business.Sources.FirstOrDefault(source => source.Connector == Revenue.Source)?.Currency;
        return new TenantNumbers(from, to, revenue.Now.Value, revenue.Change, Currencies.OrNull(told) ?? first.tenant_currency, saved.Now.Value,
            saved.Change, revenue.Alike, revenue.ByChance);
    }

    private static TenantEntry Entry(BusinessRows business, TenantNumbers? numbers, TenantScore? score, ScoreRow? kept)
    {
        var (first, sources) = (business.First, business.Sources);
        var freshness = sources.ConvertAll(source => source.ToFreshness());
        var (health, message) = SourceState.HealthOf(freshness);
        // What is not read comes first: of what cannot be seen nobody knows whether it works.
        if (health != TenantHealth.Trouble && kept?.Failing is > 0 and var failing)
        {
            (health, message) = (TenantHealth.Trouble,
                string.Create(CultureInfo.InvariantCulture,
                    $"“{PlainText.Isolated(kept.FailingName!)}” has not worked since {kept.FailingSince:d MMM yyyy}")
                + (failing == 1 ? "." : string.Create(CultureInfo.InvariantCulture, $", and {failing - 1:N0} more {(failing == 2 ? "has" : "have")} not.")));
        }

        // Its sources are not read any more, which is no fault of theirs.
        if (first.delete_after is { } at) (health, message) = (TenantHealth.Attention, $"To be deleted after {at.UtcDateTime:yyyy-MM-dd HH:mm} UTC.");
        return new TenantEntry(
            first.tenant_id, first.name, first.role, first.is_demo, sources.Count, freshness.Count(source => source.Health != TenantHealth.Ok),
            health, message, sources.Min(source => source.FetchedAt), SourceState.CommonCompleteThrough(sources), first.delete_after,
            freshness.Min(source => source.MissingSince), numbers, score);
    }

    /// <summary>A business of the list, and the last of its days that the list tells of.</summary>
    private sealed class BusinessRows
    {
        public BusinessRows(IReadOnlyList<SourceRow> rows, DateTimeOffset now)
        {
            First = rows[0];
            Sources = [.. rows.Where(row => row.id is not null && row.state != "disconnected").Select(row => row.ToState(now))];
            To = Period.Anchor(LocalDay.Of(now, TimeZoneNames.Of(First.time_zone)), SourceState.PeriodThrough(Sources));
        }

        public SourceRow First { get; }

        public List<SourceState> Sources { get; }

        public DateOnly To { get; }
    }

    private sealed record ScoreRow(
        Guid Tenant, short? Score, DateOnly Day, DateTimeOffset At, bool Current, short Failing, string? FailingName, DateOnly? FailingSince);

    private sealed record ValueRow(Guid Tenant, short Source, string Kpi, DateOnly Day, decimal Value);

#pragma warning disable IDE1006 // Dapper maps these to the columns of the functions by name.
    private sealed record SourceRow(
        Guid tenant_id, string name, string role, bool is_demo, DateTimeOffset? delete_after, Guid? id, string? connector, string? display_name, string? state,
        string? status_message, string? schedule, DateTimeOffset? fetched_at, DateOnly? complete_through, DateOnly? final_through, DateOnly? measurable_from,
        DateOnly? read_from, int? consecutive_failures, string? last_error, DateTimeOffset? next_due_at, bool live, string? currency,
        string? push_rhythm, int? late_after_hours, int? usual_gap_minutes, string? zone, int? days_known, DateOnly? known_from,
        DateTimeOffset? connected_at, DateTimeOffset? backfilled_at, string time_zone, string tenant_currency, decimal? hourly_labour_cost,
        decimal? automation_cost_per_month, short? source, DateOnly? first_day)
    {
        public SourceState ToState(DateTimeOffset now) => new(
            id!.Value, connector!, display_name!, state!, status_message, schedule!, fetched_at, complete_through, final_through, measurable_from, read_from,
            consecutive_failures ?? 0, last_error, next_due_at, live, null, now, currency,
            PushRhythm: push_rhythm, LateAfterHours: late_after_hours, UsualGapMinutes: usual_gap_minutes,
            Zone: zone, DaysKnown: days_known, KnownFrom: known_from, ConnectedAt: connected_at, BackfilledAt: backfilled_at,
            Number: source ?? 0, FirstDay: first_day);
    }
#pragma warning restore IDE1006
}

/// <summary>The person's businesses with their health, what needs attention first.</summary>
internal sealed record TenantsResponse(IReadOnlyList<TenantEntry> Tenants);

/// <summary>
/// A business and its health: the worst state of its sources, in the owner's words. <c>troubled</c>: sources that are not well. <c>fetchedAt</c>: when the source
/// that was read the longest time ago was read. <c>completeThrough</c>: last day for which every source is complete. <c>missingSince</c>:
/// the first day that one of them should have and lacks. <c>numbers</c>: its last week, null where nothing is connected.
/// <c>score</c>: its health from 0 to 100 as its overview tells it, null where nothing is connected or none was worked out yet.
/// </summary>
internal sealed record TenantEntry(
    Guid Id, string Name, [property: AllowedValues("owner", "admin", "member", "viewer")] string Role, bool IsDemo, int Integrations, int Troubled, TenantHealth Health, string? Message, DateTimeOffset? FetchedAt,
    DateOnly? CompleteThrough, DateTimeOffset? DeleteAfter, DateOnly? MissingSince, TenantNumbers? Numbers, TenantScore? Score = null);

/// <summary>
/// The health of a business: <c>value</c> from 0 to 100, null where nothing can be compared; <c>word</c> is what it is called.
/// <c>day</c>: last of the seven days that it is of. <c>at</c>: when it was worked out, where the business changed since; null: it is as
/// of now.
/// </summary>
internal sealed record TenantScore(
    int? Value, [property: AllowedValues("good", "fair", "weak", "poor", null)] string? Word, DateOnly Day, DateTimeOffset? At)
{
    /// <summary>A score and what it is called.</summary>
    public static TenantScore Of(int? value, DateOnly day, DateTimeOffset? at) =>
        new(value, value is { } score ? HealthReport.WordOf(score) : null, day, at);
}

/// <summary>
/// The last seven days of a business as its overview tells them. A change is a fraction of the seven days before, null where telling one
/// would mislead.
/// <c>revenue</c> is null where none is known, <c>minutesSaved</c> likewise. <c>revenueAlike</c> and <c>revenueByChance</c>: as <c>alike</c> and
/// <c>byChance</c> in <c>GET metrics/summary</c>.
/// </summary>
internal sealed record TenantNumbers(
    DateOnly From, DateOnly To, decimal? Revenue, decimal? RevenueChange, string Currency, decimal? MinutesSaved,
        decimal? MinutesSavedChange, AlikeChange? RevenueAlike, bool RevenueByChance);

/// <summary>Another business for the person that is signed in, who becomes its owner.</summary>
internal sealed record CreateTenantRequest(string BusinessName, string? TimeZone = null, string? Currency = null);

/// <summary>
/// The settings of the business. <c>weekStart</c>: 0 = Sunday … 6 = Saturday; <c>fiscalYearStartMonth</c>: 1 to 12. Costs in <c>currency</c>, null = not set.
/// Changing the currency converts nothing; money that a provider told of stays in the provider's. <c>headline</c>: keys of the KPIs that
/// stand on top of the overview, in their order, at most six; empty for the product's choice; left out, it stays as it is.
/// </summary>
internal sealed record TenantSettings(
    string Name, string TimeZone, string Currency, string Locale, int WeekStart, int FiscalYearStartMonth, decimal? HourlyLabourCost, decimal? AutomationCostPerMonth,
    bool RequireSecondFactor, IReadOnlyList<string>? Headline = null);

/// <summary>What the settings say now, and what changing them did to the numbers of the last 28 complete days.</summary>
internal sealed record UpdateTenantResponse(TenantSettings Settings, IReadOnlyList<SettingsEffect> Effects);

/// <summary>A number before and after; null where it is not measurable.</summary>
internal sealed record SettingsEffect(string Kpi, string Name, string Unit, decimal? Before, decimal? After);

/// <summary>Names a member.</summary>
internal sealed record MemberRequest(Guid UserId);

/// <summary>The table of who may do what.</summary>
internal sealed record RolesResponse(IReadOnlyList<PermissionEntry> Permissions, IReadOnlyList<RoleEntry> Roles);

/// <summary>A permission and what it allows.</summary>
internal sealed record PermissionEntry(string Key, string Description);

/// <summary>A role and its permissions.</summary>
internal sealed record RoleEntry(string Role, IReadOnlyList<string> Permissions);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(TenantsResponse))]
[JsonSerializable(typeof(CreateTenantRequest))]
[JsonSerializable(typeof(TenantSettings))]
[JsonSerializable(typeof(UpdateTenantResponse))]
[JsonSerializable(typeof(MemberRequest))]
[JsonSerializable(typeof(RolesResponse))]
internal sealed partial class TenantJson : JsonSerializerContext;
