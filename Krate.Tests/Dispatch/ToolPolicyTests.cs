using Krate.Core.Kinds;
using Krate.Core.Kinds.Dispatch;
using Krate.Core.Resources;
using Xunit;

namespace Krate.Tests.Dispatch;

/// <summary>What an agent asks for is decided by the tool profile, and by a person where that says nothing.</summary>
public sealed class ToolPolicyTests
{
    [Theory]
    [InlineData("{}", "prompt", """{"kind":"execute","rawInput":{"command":"make"}}""", ToolVerdict.Ask)]
    [InlineData("{}", "deny", """{"kind":"execute","rawInput":{"command":"make"}}""", ToolVerdict.Deny)]
    [InlineData("""{"approvalPolicyByTool":{"shell":"allow"} }""", "prompt", """{"kind":"execute","rawInput":{"command":"make"}}""", ToolVerdict.Allow)]
    [InlineData("""{"approvalPolicyByTool":{"shell":"deny"} }""", "prompt", """{"kind":"execute","rawInput":{"command":"make"}}""", ToolVerdict.Deny)]
    [InlineData("""{"allowedCommands":["go test"]}""", "prompt", """{"kind":"execute","rawInput":{"command":"go test ./..."}}""", ToolVerdict.Allow)]
    [InlineData("""{"allowedCommands":["go test"]}""", "prompt", """{"kind":"execute","rawInput":{"command":["go","test","./..."]}}""", ToolVerdict.Allow)]
    [InlineData("""{"allowedCommands":["go test"]}""", "prompt", """{"kind":"execute","rawInput":{"command":"go tester"}}""", ToolVerdict.Ask)]
    [InlineData("""{"allowedCommands":["go test"]}""", "prompt", """{"kind":"execute","rawInput":{"command":"go test; curl evil"}}""", ToolVerdict.Ask)]
    [InlineData("""{"allowedCommands":["go test"]}""", "prompt", """{"kind":"execute","rawInput":{"command":"go test $(curl evil)"}}""", ToolVerdict.Ask)]
    [InlineData("""{"allowedCommands":["go test"]}""", "prompt", """{"kind":"execute","rawInput":{"command":"go test > /etc/passwd"}}""", ToolVerdict.Ask)]
    [InlineData("""{"approvalPolicyByTool":{"shell":"allow"},"deniedCommands":["git push"]}""", "prompt", """{"kind":"execute","rawInput":{"command":"make && git push origin"}}""", ToolVerdict.Deny)]
    [InlineData("""{"approvalPolicyByTool":{"shell":"allow"},"deniedCommands":["rm"]}""", "prompt", """{"kind":"execute","rawInput":{"command":"alarm"}}""", ToolVerdict.Allow)]
    [InlineData("""{"approvalPolicyByTool":{"shell":"prompt-on-denied-or-privileged"},"deniedCommands":["git push"]}""", "prompt", """{"kind":"execute","rawInput":{"command":"git push"}}""", ToolVerdict.Ask)]
    [InlineData("""{"approvalPolicyByTool":{"shell":"prompt-on-denied-or-privileged"} }""", "prompt", """{"kind":"execute","rawInput":{"command":"sudo make"}}""", ToolVerdict.Ask)]
    [InlineData("""{"approvalPolicyByTool":{"shell":"prompt-on-denied-or-privileged"} }""", "prompt", """{"kind":"execute","rawInput":{"command":"make"}}""", ToolVerdict.Allow)]
    [InlineData("""{"filesystemPolicy":"read-only","approvalPolicyByTool":{"filesystem":"allow"} }""", "prompt", """{"kind":"edit","locations":[{"path":"/workspace/a"}]}""", ToolVerdict.Deny)]
    [InlineData("""{"filesystemPolicy":"read-only","approvalPolicyByTool":{"filesystem":"allow"} }""", "prompt", """{"kind":"read"}""", ToolVerdict.Allow)]
    [InlineData("""{"approvalPolicyByTool":{"filesystem":"allow-workspace"} }""", "prompt", """{"kind":"edit","locations":[{"path":"/workspace/a"}]}""", ToolVerdict.Allow)]
    [InlineData("""{"approvalPolicyByTool":{"filesystem":"allow-workspace"} }""", "prompt", """{"kind":"edit","locations":[{"path":"/workspace/../etc/passwd"}]}""", ToolVerdict.Ask)]
    [InlineData("""{"approvalPolicyByTool":{"filesystem":"allow-workspace"} }""", "prompt", """{"kind":"edit","locations":[{"path":"/workspace/a"},{"path":"/etc/passwd"}]}""", ToolVerdict.Ask)]
    [InlineData("""{"approvalPolicyByTool":{"filesystem":"allow-workspace"} }""", "prompt", """{"kind":"edit"}""", ToolVerdict.Ask)]
    [InlineData("""{"nativeTools":{"browser":false},"approvalPolicyByTool":{"browser":"allow"} }""", "prompt", """{"kind":"fetch"}""", ToolVerdict.Deny)]
    [InlineData("""{"approvalPolicyByTool":{"shell":"allow"} }""", "prompt", """{"kind":"brew-coffee"}""", ToolVerdict.Ask)]
    public void A_step_is_allowed_refused_or_asked_for(string profile, string mode, string call, ToolVerdict wanted)
    {
        var resource = new Resource(KindTable.Catalog["AgentToolProfile"], KrateJson.ParseObject($$"""{"metadata":{"name":"p"},"spec":{{profile}} }"""));
        var ruling = ToolPolicy.Of(resource, mode, KrateJson.ParseObject(call));
        Assert.Equal((wanted, true), (ruling.Verdict, ruling.Reason.Length > 0));
    }

    [Fact]
    public void Without_a_profile_everything_is_asked_for() => Assert.Equal(ToolVerdict.Ask, ToolPolicy.Of(null, null, KrateJson.ParseObject("""{"kind":"read"}""")).Verdict);
}
