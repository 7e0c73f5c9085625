using System.Text.Json.Nodes;
using Krate.Core.Agents;
using Krate.Core.Gateway;
using Krate.Core.Resources;
using Krate.Tests.ControlPlane;
using Xunit;

namespace Krate.Tests.Agents;

[CollectionDefinition]
public sealed class AgentCollection : ICollectionFixture<AgentWorld>;

/// <summary>A control plane that may start two programs of the tests, which behave as their first argument says; and a web server of MCP servers.</summary>
public sealed class AgentWorld : IAsyncLifetime
{
    public const string Namespace = "krate-org-acme";
    private readonly string folder = Directory.CreateTempSubdirectory("krate-agents-").FullName;

    internal ControlPlaneWorld World { get; private set; } = null!;

    internal McpWebServer Web { get; private set; } = null!;

    /// <summary>Speaks the Agent Client Protocol, or does not.</summary>
    public string Agent => Path.Combine(folder, "agent.sh");

    /// <summary>An agent that takes up sessions: it counts its turns in its home.</summary>
    public string Talking => Path.Combine(folder, "talking.sh");

    /// <summary>Speaks the Agent Client Protocol as far as its turn, and then does what nobody should.</summary>
    public string Hostile => Path.Combine(folder, "hostile.sh");

    /// <summary>Speaks the Model Context Protocol, or does not.</summary>
    public string McpServer => Path.Combine(folder, "mcp.sh");

    public async ValueTask InitializeAsync()
    {
        await MakeProgramAsync(Agent, AgentText);
        await MakeProgramAsync(Hostile, Dispatch.HostileAgent.Text);
        await MakeProgramAsync(Talking, Dispatch.TalkingAgent.Text);
        await MakeProgramAsync(McpServer, McpText);
        Web = await McpWebServer.StartAsync();
        var options = new AgentOptions { AllowedCommands = [Agent, Hostile, Talking, McpServer, "/opt/krate-tests/not-there"], HandshakeWithin = TimeSpan.FromSeconds(5), ToolsWithin = TimeSpan.FromSeconds(6), AtOnce = 8, WorkspaceBytes = 64 << 20 };
        World = await ControlPlaneWorld.StartAsync(agents: options);
        await World.ReadyOrganizationAsync();
        await HangAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await World.DisposeAsync();
        await Web.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    public Task<Resource> NewAdapterAsync(string name, string command, params string[] args) => CreateAsync("AgentAdapter", name, new() { ["adapterType"] = "custom", ["transport"] = "acp-stdio", ["command"] = command, ["args"] = ListOf(args) });

    public Task<Resource> NewMcpServerAsync(string name, string command, params string[] args) => CreateAsync("AgentMcpServer", name, new() { ["transport"] = "stdio", ["scope"] = "org", ["command"] = command, ["args"] = ListOf(args) });

    public Task<Resource> NewWebServerAsync(string name, string url, string transport = "streamable-http") => CreateAsync("AgentMcpServer", name, new() { ["transport"] = transport, ["scope"] = "org", ["url"] = url });

    public Task<Resource> CreateAsync(string kind, string name, JsonObject spec) =>
        World.Gateway.CreateAsync(ControlPlaneWorld.Admin, ControlPlaneWorld.Kind(kind), Namespace, new JsonObject { ["metadata"] = new JsonObject { ["name"] = name }, ["spec"] = spec }, new WriteOptions(), ControlPlaneWorld.Ct);

    /// <summary>How the condition is, once it has been looked at at this generation.</summary>
    public async Task<Condition> ConditionAsync(Resource resource, string type)
    {
        var seen = await World.UntilAsync(resource.Kind.Kind, Namespace, resource.Name, r => r?.FindCondition(type)?.ObservedGeneration == r?.Generation);
        return seen.FindCondition(type)!;
    }

    public async Task<Resource> ActAsync(Resource resource, string action, JsonObject? body = null) =>
        new(resource.Kind, await World.Gateway.ActAsync(ControlPlaneWorld.Admin, resource.Kind, Namespace, resource.Name, action, body, ControlPlaneWorld.Ct));

    /// <summary>Those that only time ends begin at once, so that their tests wait together.</summary>
    private async Task HangAsync()
    {
        await NewAdapterAsync("hangs", Agent, "hangs");
        await NewMcpServerAsync("hangs", McpServer, "hangs");
        await NewWebServerAsync("web-hangs", Web.UrlOf("hang"));
    }

    private static JsonArray ListOf(string[] texts) => [.. texts.Select(t => (JsonNode)t)];

    private static async Task MakeProgramAsync(string path, string text)
    {
        await File.WriteAllTextAsync(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
    }

    private const string AgentText = """
        #!/bin/bash
        answer() {
          read -r request
          [[ $request == *'"method":"initialize"'* && $request == *'"readTextFile":false'* ]] || exit 9
          printf '{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":%s,"agentInfo":{"name":"stub","title":"%s","version":"%s"},"agentCapabilities":{"loadSession":true,"promptCapabilities":{"image":true,"audio":false},"mcpCapabilities":{"http":true},"sessionCapabilities":{"resume":{},"list":null}},"authMethods":[{"id":"login","name":"Log in"}]}}\n' "$1" "$2" "$3"
          cat > /dev/null
        }
        case $1 in
          good) answer 1 Stub "${2:-1.2.3}" ;;
          other-version) answer 2 Stub 1 ;;
          works)
            say() { printf '{"jsonrpc":"2.0","method":"session/update","params":{"sessionId":"s1","update":%s}}\n' "$1"; }
            reply() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$1"; }
            while read -r line; do
              id=${line#*\"id\":}; id=${id%%,*}
              case $line in
                *'"method":"initialize"'*) reply '{"protocolVersion":1,"agentInfo":{"name":"worker","version":"1"},"agentCapabilities":{}}' ;;
                *'"method":"session/new"'*) reply '{"sessionId":"s1"}' ;;
                *'"method":"session/prompt"'*)
                  prompt=$id
                  say '{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"I begin in '"$PWD"'."}}'
                  case $2 in
                    exits) echo 'out of ideas' >&2; exit 4 ;;
                    pipes) mkfifo "$KRATE_ARTIFACTS/diagnosis.md"; echo kept > "$KRATE_ARTIFACTS/work.log"; reply '{"stopReason":"end_turn"}' ;;
                    hangs) setsid bash -c "exec -a $3 sleep 600" < /dev/null > /dev/null 2>&1 & ;;
                    *) printf '%s\n' '{"jsonrpc":"2.0","id":77,"method":"session/request_permission","params":{"sessionId":"s1","toolCall":{"toolCallId":"t1","title":"Write out.txt","kind":"edit"},"options":[{"optionId":"no","kind":"reject_once","name":"No"},{"optionId":"yes","kind":"allow_once","name":"Yes"}]}}' ;;
                  esac ;;
                *'"id":77,'*)
                  [[ $line == *'"optionId":"yes"'* ]] && echo changed > out.txt
                  id=$prompt; reply '{"stopReason":"end_turn"}' ;;
              esac
            done ;;
          exits) echo 'no licence found' >&2; exit 3 ;;
          hangs) exec sleep 600 ;;
          floods) head -c 100000000 /dev/zero | tr '\0' x ;;
          nonsense) echo 'Welcome to the agent!'; exec sleep 600 ;;
          refuses) read -r _; echo '{"jsonrpc":"2.0","id":0,"error":{"code":-32603,"message":"log in first"}}'; exec sleep 600 ;;
          daemon) setsid bash -c "exec -a $2 sleep 600" < /dev/null > /dev/null 2>&1 & answer 1 Daemon 1 ;;
          spy)
            found=
            [[ -e $2 ]] && found+=' data'
            for file in /proc/[0-9]*/environ; do grep -qa KRATE_TEST_CANARY "$file" && found+=' environment'; done
            (exec 3<> "/dev/tcp/127.0.0.1/$3") 2> /dev/null && found+=' network'
            touch /usr/krate-test /etc/krate-test /krate-test 2> /dev/null && found+=' writes'
            [[ -r /etc/shadow || -n $(ls -A /root /home /var 2> /dev/null) ]] && found+=' files'
            (( $(ls -d /proc/[0-9]* | wc -l) > 12 )) && found+=' processes'
            answer 1 "found:$found in $PWD" 1 ;;
        esac
        """;

    private const string McpText = """
        #!/bin/bash
        case $1 in
          exits) echo 'no database' >&2; exit 4 ;;
          hangs) exec sleep 600 ;;
          floods) head -c 100000000 /dev/zero | tr '\0' x; exec sleep 600 ;;
        esac
        case $2 in
          base64) said=$(printf %s "$KEY" | base64 -w0) ;;
          hex) said=$(printf %s "$KEY" | od -An -v -tx1 | tr -d ' \n') ;;
          reversed) said=; for ((i = ${#KEY} - 1; i >= 0; i--)); do said+=${KEY:i:1}; done ;;
          cut) said=$(printf 'x%.0s' {1..155})$KEY ;;
          long) said=$(printf 'x%.0s' {1..486})$KEY ;;
          *) said=$KEY ;;
        esac
        [[ $1 == leaks ]] && { echo "cannot log in with $said" >&2; exit 5; }
        tool() { printf '{"name":"%s","description":"%s","inputSchema":{"type":"object","properties":{"%s":{"type":"number","default":0.5}}}}' "$1" "$2" "$3"; }
        reply() { printf '{"jsonrpc":"2.0","id":%s,%s}\n' "$id" "$1"; }
        while read -r line; do
          [[ $line =~ \"id\":(\"[^\"]*\"|[0-9]+) ]] && id=${BASH_REMATCH[1]} || continue
          case $line in
            *'"method":"initialize"'*) reply '"result":{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"stub","version":"1"}}' ;;
            *'"method":"tools/list"'*'"cursor":"2"'*) reply "\"result\":{\"tools\":[$(tool second 'Second page' a)]}" ;;
            *'"method":"tools/list"'*)
              case $1 in
                many) reply "\"result\":{\"tools\":[$(for i in {1..501}; do tool "t$i" T a; printf ,; done)$(tool last T a)]}" ;;
                endless) reply '"result":{"tools":[],"nextCursor":"again"}' ;;
                twice) reply "\"result\":{\"tools\":[$(tool same T a),$(tool same T b)]}" ;;
                describes) reply "\"result\":{\"tools\":[$(tool keyed "$said" a)]}" ;;
                fails) reply "\"error\":{\"code\":-32603,\"message\":\"cannot log in with $said\"}" ;;
                says) reply "\"result\":{\"tools\":[$(tool secretive "$2" a)]}" ;;
                *) reply "\"result\":{\"tools\":[$(tool first "${2:-Reads files}" "${3:-path}")],\"nextCursor\":\"2\"}" ;;
              esac ;;
            *) reply '"error":{"code":-32601,"message":"no such method"}' ;;
          esac
        done
        """;
}
