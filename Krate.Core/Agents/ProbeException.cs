namespace Krate.Core.Agents;

/// <summary>Something outside is not as it has to be. The reason is that of a condition, the message for whoever wrote the resource.</summary>
public sealed class ProbeException(string reason, string message, Exception? inner = null) : Exception(message, inner)
{
    public string Reason { get; } = reason;
}

/// <summary>Stable reasons of what looking at adapters and servers of tools ends with.</summary>
public static class ProbeReasons
{
    public const string CommandNotAllowed = "CommandNotAllowed";
    public const string CommandNotInstalled = "CommandNotInstalled";
    public const string SandboxUnavailable = "SandboxUnavailable";
    public const string AdapterNotInstalled = "AdapterNotInstalled";
    public const string AdapterHandshakeFailed = "AdapterHandshakeFailed";
    public const string AdapterTimedOut = "AdapterTimedOut";
    public const string McpProbeFailed = "McpProbeFailed";
    public const string AddressRefused = "AddressRefused";

    /// <summary>Whether it says nothing about what was to be looked at.</summary>
    public static bool IsUnknown(string reason) => reason == SandboxUnavailable;
}
