using System.Net.Sockets;
using Krate.Core.Store;
using Microsoft.AspNetCore.Connections;
using Npgsql;

namespace Krate.Web.Hosting;

internal static class StartupFailure
{
    /// <summary>One line that says what to mend; null when nobody foresaw it, and a stack trace is the honest answer.</summary>
    public static string? Explain(Exception e)
    {
        for (var at = e; at is not null; at = at.InnerException)
        {
            if (Describe(at) is { } text)
                return string.Join(' ', text.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
        }

        return null;
    }

    private static string? Describe(Exception e) => e switch
    {
        StartupException => e.Message,
        PostgresException p => $"PostgreSQL refused Krate: {p.MessageText}. Check ConnectionStrings__Krate.",
        NpgsqlException n => $"PostgreSQL cannot be reached: {n.InnerException?.Message ?? n.Message}. Check ConnectionStrings__Krate.",
        UnauthorizedAccessException => $"Krate has no permission: {e.Message}",
        IOException { InnerException: AddressInUseException } => $"{e.Message.TrimEnd('.')}. Stop the other program, or choose another address with --urls.",
        SocketException => $"Krate cannot listen: {e.Message}. Choose another address with --urls.",
        _ => null,
    };
}
