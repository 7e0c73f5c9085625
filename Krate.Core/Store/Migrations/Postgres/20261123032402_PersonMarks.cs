using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Krate.Core.Store.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class PersonMarks : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "person_marks",
                columns: table => new
                {
                    person = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    scope = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    item = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    version = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    at = table.Column<long>(type: "bigint", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_person_marks", x => new { x.person, x.scope, x.item });
                });

            migrationBuilder.CreateIndex(
                name: "person_marks_by_age",
                table: "person_marks",
                column: "at");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "person_marks");
        }
    }
}
