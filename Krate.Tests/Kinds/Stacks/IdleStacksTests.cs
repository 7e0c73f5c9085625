using Krate.Tests.ControlPlane;
using Krate.Tests.Kinds.Grants;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Krate.Tests.Kinds.Stacks;

/// <summary>Looking at everything again, with everything due that is asked of others, leaves no trace.</summary>
public sealed class IdleStacksTests(GrantsWorld grants) : IClassFixture<GrantsWorld>
{
    private const int Stacks = 1000, Servers = 50;

    [Fact]
    public async Task A_thousand_stacks_that_have_settled_add_nothing_to_the_change_log_or_the_audit_when_everything_is_due()
    {
        await grants.AccountAsync("agent");
        await grants.SecretAsync("shared", "token: something-long-enough");
        await grants.MakeAsync("AgentToolProfile", "tools", "filesystemPolicy: read-only, approvalPolicyByTool: {shell: prompt}, requiredSecretRefs: [{name: shared, key: token}]");
        await grants.MakeAsync("AgentSecretGrant", "shared", "subject: {kind: organization, name: acme}, secretRef: {name: shared, keys: [token]}, purpose: tool");
        // Each is asked again when it is due, and says the same again: that Krate may not start it.
        await Task.WhenAll(Enumerable.Range(0, Servers).Select(i => grants.MakeAsync("AgentMcpServer", $"server-{i}", "transport: stdio, scope: org, command: not-allowed")));
        await Task.WhenAll(Enumerable.Range(0, Stacks).Select(i => grants.MakeAsync("AgentStack", $"stack-{i}", $"baseAgent: codex, adapter: none, runtimeIdentity: {{serviceAccountRef: agent}}, toolProfileRef: tools, mcpServerRefs: [server-{i % Servers}]")));
        string[] keys = [.. Enumerable.Range(0, Stacks).Select(i => $"AgentStack/{GrantsWorld.Ns}/stack-{i}"), .. Enumerable.Range(0, Servers).Select(i => $"AgentMcpServer/{GrantsWorld.Ns}/server-{i}"), $"AgentSecretGrant/{GrantsWorld.Ns}/shared"];

        // What the writes themselves have set off ends meanwhile.
        var before = await LookAgainAsync(keys);
        for (var look = 0; look < 5 && await LookAgainAsync(keys) is var now && now != before; look++) before = now;
        Assert.All(Enumerable.Range(0, Stacks), i => Assert.Equal("AdapterUnavailable", grants.Find("AgentStack", $"stack-{i}")!.FindCondition("Ready")!.Reason));
        Assert.Equal(before, await LookAgainAsync(keys));
    }

    /// <summary>Moves the clock behind the hour of probes and the ten minutes of informers, and waits until all have been looked at.</summary>
    /// <returns>Rows of the change log and of the audit, as they are in the database.</returns>
    private async Task<(long Changes, long Audit)> LookAgainAsync(string[] keys)
    {
        var before = keys.Select(k => grants.World.Runs.GetValueOrDefault(k)).ToArray();
        grants.Time.Advance(TimeSpan.FromMinutes(61));
        var next = 0;
        await grants.World.EventuallyAsync(
            () =>
            {
                while (next < keys.Length && grants.World.Runs.GetValueOrDefault(keys[next]) > before[next]) next++;
                return next == keys.Length;
            },
            "not all were looked at again");
        using var database = new SqliteConnection($"Data Source={grants.World.Data.Database};Mode=ReadOnly");
        await database.OpenAsync(ControlPlaneWorld.Ct);
        return (await CountAsync(database, "SELECT count(*) + max(rowid) FROM changes"), await CountAsync(database, "SELECT count(*) + max(rowid) FROM audit"));
    }

    private static async Task<long> CountAsync(SqliteConnection database, string sql)
    {
        using var command = database.CreateCommand();
#pragma warning disable CA2100 // Its texts are those above.
        command.CommandText = sql;
#pragma warning restore CA2100
        return (long)(await command.ExecuteScalarAsync(ControlPlaneWorld.Ct))!;
    }
}
