namespace Krate.Core.Agents;

/// <summary>What the operator decides about programs that people's resources name: agents and servers of tools.</summary>
public sealed record AgentOptions
{
    /// <summary>Programs that may be started beside those of the adapter catalog: names that are found on PATH, or absolute paths.</summary>
    public IReadOnlyList<string> AllowedCommands { get; init; } = [];

    /// <summary>Files and folders that these programs may read beside the system's and their own.</summary>
    public IReadOnlyList<string> ReadablePaths { get; init; } = [];

    /// <summary>How long an agent may take to say what it can do.</summary>
    public TimeSpan HandshakeWithin { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a server of tools may take to say which it has.</summary>
    public TimeSpan ToolsWithin { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Runs whose agents work at the same time on the host of Krate.</summary>
    public int RunsAtOnce { get; init; } = 8;

    /// <summary>Bytes that the workspace of a run and what it leaves may take on the disk.</summary>
    public long WorkspaceBytes { get; init; } = 4L << 30;

    /// <summary>Programs that are asked at the same time.</summary>
    public int AtOnce { get; init; } = 4;
}
