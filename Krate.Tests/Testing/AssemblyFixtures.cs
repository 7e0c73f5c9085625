using Krate.Tests.Testing;
using Xunit;

[assembly: AssemblyFixture(typeof(PostgresServer))]
